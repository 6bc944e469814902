"""Open a certificate's claims for a supervisor who works on a case.

The subject sees the case number in the certificate's provenance.
"""

from __future__ import annotations

import re
from typing import Any, Final

from ulid import ULID

from ledger.certificates.hidden_claims import HiddenClaims, hides_claims
from ledger.certificates.lookups import certificate, payload_of
from ledger.certificates.tables import Disclosure
from ledger.domain.days import Clock
from ledger.errors import Conflict, InvalidInput
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.proof.sdjwt import Disclosed
from ledger.store.database import Database

# A case number, such as （2026）湛数监12号. The code refuses 18 letters and digits in a row, because they may be a
# resident ID or a credit code.
_CASE: Final = re.compile(r"[\w()（）\[\]〔〕/-]{4,64}")
_IDENTIFIER: Final = re.compile(r"[0-9A-Za-z]{18}", re.ASCII)


class Disclosures:
    """Opens encrypted claims, and records who opened them and for which case."""

    def __init__(self, database: Database, claims: HiddenClaims, clock: Clock) -> None:
        self._database = database
        self._claims = claims
        self._clock = clock

    def open(self, actor: Actor, number: str, case: str) -> dict[str, Any]:
        """Return a certificate's claims as a map from name to value, and record the reading in the same transaction.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``InvalidInput`` ``CASE_INVALID``, ``NotFound``, ``Conflict``
        ``NO_PAYLOAD``.
        """
        require(actor, Action.OPEN_PAYLOAD)
        if not _CASE.fullmatch(case) or _IDENTIFIER.search(case):
            raise InvalidInput(
                "CASE_INVALID",
                "A case number must have 4 to 64 letters, digits, brackets, slashes or dashes, and no ID number.",
                where="case",
                hint="Give the case's file number.",
            )
        with self._database.write() as session:
            row = certificate(session, number)
            if not hides_claims(row):
                raise Conflict("NO_PAYLOAD", "The certificate has no hidden claims.", where=number)
            opened = self._claims.opened(session, row, payload_of(session, number))
            session.add(
                Disclosure(id=str(ULID()), certificate_no=number, by=actor.party, case=case, created_at=self._clock())
            )
        claims = [Disclosed.decode(item) for item in opened]
        return {claim.name: claim.value for claim in claims}
