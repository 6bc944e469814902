"""Enrolment: a party that never had a key submits its first key, with a one-time code from an authority or an admin.

Nobody can sign in or read data with the code. The submitted key is proposed for registration; it is valid once two
institutions (authorities or admins) agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ledger.chain.accounts import account_of_public_key, check_public_key
from ledger.domain.days import Clock
from ledger.errors import Conflict, Unauthenticated
from ledger.parties.access.tables import Enrolment
from ledger.parties.access.tokens import digest, fresh
from ledger.parties.keys.possession import require_possession
from ledger.parties.keys.settlement import FIRST_KEYS
from ledger.parties.lookups import party, party_keys
from ledger.parties.newcomers import require_free
from ledger.parties.onboarding import Onboarding
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.parties.tables import PartyKey
from ledger.proof.bundle import ChainId
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord

PREFIX: Final = "pe_"
SECONDS: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A one-time code for one party, shown only once; valid until ``expires_at`` (seconds UTC)."""

    party: str
    code: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A party's first key; ``proposal`` is the pending proposal to register the party, None once it is registered."""

    party: str
    account: str
    proposal: int | None


class Enrolments:
    """Issues enrolment codes and accepts first keys."""

    def __init__(self, database: Database, onboarding: Onboarding, chain: ChainId, clock: Clock) -> None:
        self._database = database
        self._onboarding = onboarding
        self._chain = chain
        self._clock = clock

    def issue(self, actor: Actor, identifier: str) -> EnrolmentCode:
        """Issue a code to a party that never had a key, as an authority or an admin; the party's earlier code becomes
        invalid.

        The institution that issues the code also proposes the key that the party submits. Raises ``Forbidden``
        ``PARTY_LACKS_ROLE``, ``OFFICE_KEY_NOT_HERE``; ``NotFound`` ``PARTY_UNKNOWN``; ``Conflict`` ``PARTY_HAS_KEY``,
        ``PARTY_ERASED``.
        """
        require(actor, Action.MANAGE_ROLES)
        self._onboarding.require_key_of(actor.party)
        now, code = self._clock(), fresh(PREFIX)
        row = Enrolment(
            party_id=identifier,
            code_digest=digest(code),
            issued_by=actor.party,
            created_at=now,
            expires_at=now + SECONDS,
        )
        with self._database.write() as session:
            _require_keyless(session, identifier)
            session.execute(delete(Enrolment).where(Enrolment.party_id == identifier))
            session.add(row)
        return EnrolmentCode(identifier, code, row.expires_at)

    def redeem(self, code: str, public_key: str, proof: str) -> Enrolled:
        """Store the first key of the party for which the code was issued, and propose the party's registration.

        ``public_key`` is a secp256k1 or P-256 key (protocol §4), ``proof`` its proof of possession in hex. Raises
        ``Unauthenticated`` ``ENROLMENT_UNKNOWN``; ``InvalidInput`` ``PUBLIC_KEY_INVALID``, ``PROOF_MISSING``,
        ``PROOF_INVALID``; ``Conflict`` ``ACCOUNT_IN_USE``.
        """
        key = check_public_key(public_key, where="public_key", suites=FIRST_KEYS)
        account = account_of_public_key(key)
        wanted = Enrolment.code_digest == digest(code), Enrolment.expires_at > self._clock()
        with self._database.read() as session:
            if session.scalar(select(Enrolment.party_id).where(*wanted)) is None:
                raise _unknown()
        require_possession(self._chain, key, proof, "proof")
        with self._database.write() as session:
            found = session.execute(select(Enrolment.party_id, Enrolment.issued_by).where(*wanted)).one_or_none()
            if found is None or session.connection().execute(delete(Enrolment).where(*wanted)).rowcount != 1:
                raise _unknown()
            identifier, office = found
            _require_keyless(session, identifier)
            require_free(session, [account])
            row = party(session, identifier)
            row.present_account, row.present_key = account, key
            session.add(PartyKey(account=account, party_id=identifier, public_key=key, proof=proof))
        self._onboarding.register(identifier, office)
        return Enrolled(identifier, account, self._onboarding.pending(identifier))


def _require_keyless(session: Session, identifier: str) -> None:
    row = party(session, identifier)
    if row.no is not None or row.present_account is not None or party_keys(session, identifier):
        raise Conflict(
            "PARTY_HAS_KEY",
            "The party has or had a key, or its first key is proposed.",
            where=f"party {identifier}",
            hint="Two authorities can replace a lost key, after the waiting period: `pingzheng party recover`.",
        )
    if session.get(ErasureRecord, identifier) is not None:
        raise Conflict(
            "PARTY_ERASED",
            "The party's identity was erased.",
            where=f"party {identifier}",
            hint="Onboard the party again.",
        )


def _unknown() -> Unauthenticated:
    return Unauthenticated(
        "ENROLMENT_UNKNOWN",
        "The enrolment code is unknown, used or expired.",
        hint="Ask the institution that issued the code for a new one.",
    )
