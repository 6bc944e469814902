"""A supervisor sees a payload for a case only, and the subject is told: the case stands in the provenance."""

from __future__ import annotations

import re
from typing import Any, Final

from ulid import ULID

from ledger.certificates.lookups import certificate
from ledger.certificates.tables import Disclosure
from ledger.domain.days import Clock
from ledger.errors import Conflict, InvalidInput
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.proof.sdjwt import Disclosed
from ledger.store.database import Database
from ledger.store.sealing import Sealer

# Like （2026）湛数监12号; never a resident ID or a credit code, which have 18 characters of these in a row.
_CASE: Final = re.compile(r"[\w()（）\[\]〔〕/-]{4,64}")
_IDENTIFIER: Final = re.compile(r"[0-9A-Za-z]{18}", re.ASCII)


class Disclosures:
    """Opens sealed payloads for cases, and keeps who did so and why."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock

    def open(self, actor: Actor, number: str, case: str) -> dict[str, Any]:
        """A certificate's claims by name; that they were seen is recorded in the same transaction.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``InvalidInput`` ``CASE_INVALID``, ``NotFound``, ``Conflict``
        ``NO_PAYLOAD``.
        """
        require(actor, Action.OPEN_PAYLOAD)
        if not _CASE.fullmatch(case) or _IDENTIFIER.search(case):
            raise InvalidInput(
                "CASE_INVALID",
                "A case number has 4 to 64 letters, digits, brackets, slashes or dashes, and names nobody.",
                where="case",
                hint="Give the file number of the case.",
            )
        with self._database.write() as session:
            row = certificate(session, number)
            if row.sealed_id is None:
                raise Conflict("NO_PAYLOAD", "The certificate carries no claims beside its public text.", where=number)
            opened = self._sealer.open_list(session, row.sealed_id)
            session.add(
                Disclosure(id=str(ULID()), certificate_no=number, by=actor.party, case=case, created_at=self._clock())
            )
        claims = [Disclosed.decode(item) for item in opened]
        return {claim.name: claim.value for claim in claims}
