"""Withdrawals: a subject takes its consent back, a provider what it supplied. Each by its own act, and by nothing else.

The chain's record of the act is the withdrawal; the signed entry in the log says why, and is the withdrawal itself
where the chain cannot check the party's signature (SM2). The service sends the act and pays; it can neither make one
nor keep one from counting, because anybody can send it.

A key that was reported still withdraws the consents of its subject: at worst a thief stops something. It does not take
back what a provider supplied: a thief must not end every certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.certificates.status import CertificateStatus
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import withdraw_for
from ledger.chain.sending.client import ChainClient
from ledger.domain.days import Clock
from ledger.domain.digests import hex_of, reference
from ledger.domain.entries import statement_digest, withdrawal_entry
from ledger.domain.lifecycle import AUTHORIZATION, REQUEST
from ledger.errors import Conflict, Forbidden, NotFound
from ledger.log.paused import waiting_for_its_end
from ledger.log.positions import Positions
from ledger.parties.lookups import live_keys, party_no
from ledger.parties.register import Parties
from ledger.parties.statements import Intake
from ledger.proof.acts import withdrawals_message
from ledger.proof.facts import WithdrawalFact
from ledger.proof.jws import entry_signature
from ledger.proof.suites.suite import SM2SM3, suite_of_key
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.usage.lookups import access_request, certificates_of
from ledger.usage.recorded import RecordedAuthorization
from ledger.usage.tables import Authorization, Provision

CONSENT_WITHDRAWN: Final = "consent_withdrawn"
SUPPLIED_WRONGLY: Final = "data_error"


@dataclass(frozen=True, slots=True)
class WithdrawalDraft:
    """The unsigned entry, and ``message``: what the same key signs for the chain (``sign_act``).

    ``message`` is None for an SM2 key, whose signature the chain cannot check: its entry alone is the withdrawal.
    """

    entry: dict[str, Any]
    message: bytes | None


@dataclass(frozen=True, slots=True)
class _Statement:
    """What is withdrawn, by its digest, and its party: the subject of a consent, or the provider of a provision."""

    digest: str
    party: str
    is_consent: bool

    def ended_by(self, withdrawal: WithdrawalFact) -> bool:
        """Whether the chain's record ends it; that of a reported key ends a consent alone."""
        return bool(withdrawal.first if self.is_consent else withdrawal.at)


class Withdrawals:
    """Sends and records withdrawals. Safe to call again after a crash at any point."""

    def __init__(
        self,
        database: Database,
        client: ChainClient,
        reader: ChainReader,
        parties: Parties,
        intake: Intake,
        positions: Positions,
        status: CertificateStatus,
        clock: Clock,
    ) -> None:
        self._database = database
        self._client = client
        self._reader = reader
        self._parties = parties
        self._intake = intake
        self._positions = positions
        self._status = status
        self._clock = clock

    def draft(self, identifier: str, account: str | None = None) -> WithdrawalDraft:
        """What to sign to withdraw an authorization, or a provision, by its id.

        ``account`` is the one whose key will sign both, by default the party's present one. Raises ``NotFound``
        ``STATEMENT_UNKNOWN``, ``Forbidden`` ``PARTY_UNKNOWN_ACCOUNT``.
        """
        with self._database.read() as session:
            found = _found(session, id=identifier)
        account = account or self._parties.get(found.party).account
        entry = withdrawal_entry(
            ledger=self._intake.ledger,
            id=str(ULID()),
            statement=reference(found.digest),
            party=found.party,
            reason=CONSENT_WITHDRAWN if found.is_consent else SUPPLIED_WRONGLY,
            iat=self._clock(),
        )
        return WithdrawalDraft(entry, self._message(found, account))

    def withdraw(self, entry: dict[str, Any], act: bytes | None) -> RecordedAuthorization:
        """Take back a consent, as its subject signed: on the chain first, then here.

        The next verification fails; what was verified before stays a valid record. The issuer revokes the certificates
        that rest on the consent: those that a pause keeps from being anchored, after the pause. Raises as ``relay``,
        and ``NotFound`` ``AUTHORIZATION_UNKNOWN``.
        """
        found = self._checked(entry)
        if not found.is_consent:
            raise NotFound(
                "AUTHORIZATION_UNKNOWN", "The withdrawal is of no consent.", where=f"withdrawal {entry['id']}"
            )
        on_chain = self._send(found, entry, act)
        with self._database.write() as session:
            current = session.scalars(select(Authorization).where(Authorization.digest == found.digest)).one()
            if current.state != "withdrawn":
                current.state = AUTHORIZATION.next(current.state, "withdraw")
                cancel_request(session, current.request_id)
            self._intake.append(session, entry)
            built = [certificate.digest for certificate in certificates_of(session, current.request_id)]
            (ended,) = RecordedAuthorization.all_of(session, [current], self._clock())
        for digest in built:
            with waiting_for_its_end():
                self._status.revoke_position(self._positions.wait(digest), CONSENT_WITHDRAWN)
        if not on_chain:
            # The entry is the withdrawal, from the time of its anchor on.
            with waiting_for_its_end():
                self._positions.wait(statement_digest(entry))
        return ended

    def withdraw_provision(self, entry: dict[str, Any], act: bytes | None) -> None:
        """Take back what a provider supplied, without a correction, and revoke the certificates that rest on it.

        A certificate that a pause keeps from being anchored is not revoked; verifiers refuse it all the same.
        Raises as ``relay``, and ``NotFound`` ``PROVISION_UNKNOWN``.
        """
        found = self._checked(entry)
        if found.is_consent:
            raise NotFound("PROVISION_UNKNOWN", "The withdrawal is of no provision.", where=f"withdrawal {entry['id']}")
        self.relay(entry, act)
        with self._database.read() as session:
            consent = session.scalars(
                select(Authorization).join(Provision).where(Provision.digest == found.digest)
            ).one()
            built = [
                certificate.digest
                for certificate in certificates_of(session, consent.request_id)
                if reference(found.digest) in log_store.statement(session, certificate.digest)["provisions"]
            ]
        for digest in built:
            with waiting_for_its_end():
                self._status.revoke_position(self._positions.wait(digest), SUPPLIED_WRONGLY)

    def relay(self, entry: dict[str, Any], act: bytes | None) -> None:
        """Take back what the party of ``entry`` signed: the chain's act, then the entry. It ends no certificate.

        ``act`` is the signature of the message of the draft, by the key that signed the entry. Raises ``InvalidInput``
        as ``Intake.require``; ``Forbidden`` ``SIGNER_NOT_SUBJECT``, ``SIGNER_NOT_PROVIDER``,
        ``KEY_REPORTED``, ``LOG_SIGNATURE_INVALID``; ``Conflict`` ``ACT_SIGNATURE_REQUIRED`` with ``account`` and
        ``to_sign`` (hex); ``NotFound`` ``STATEMENT_UNKNOWN``.
        """
        found = self._checked(entry)
        self._send(found, entry, act)
        with self._database.write() as session:
            self._intake.append(session, entry)

    def _checked(self, entry: Mapping[str, Any]) -> _Statement:
        """What a signed withdrawal is of: nothing but a statement of the party that signed."""
        self._intake.require(entry, "withdrawal", "withdrawal")
        with self._database.read() as session:
            found = _found(session, digest=hex_of(entry["statement"]))
            refusal = Forbidden(
                "SIGNER_NOT_SUBJECT" if found.is_consent else "SIGNER_NOT_PROVIDER",
                "The withdrawal is not signed by a key of the party whose statement it takes back.",
                where=f"withdrawal {entry['id']}",
                hint="Only the data subject withdraws its consent, only the provider what it supplied.",
            )
            if entry["party"] != found.party:
                raise refusal
            # A key that is not retired withdraws, reported or not.
            self._intake.require_signed(session, entry, found.party, refusal, keys=live_keys)
        if not found.is_consent:
            self._require_speaking(entry_signature(entry).kid)
        return found

    def _require_speaking(self, account: str) -> None:
        record = self._reader.account(account)
        if record is not None and record.reported_at:
            raise Forbidden(
                "KEY_REPORTED",
                "The key was reported as lost or stolen: it takes back nothing that a provider supplied.",
                where=account,
                hint="Sign the withdrawal with another key of the provider.",
                since=record.reported_at,
            )

    def _send(self, found: _Statement, entry: Mapping[str, Any], act: bytes | None) -> bool:
        """Send the party's act unless the chain has it already; False for a key that the chain cannot check."""
        account = entry_signature(entry).kid
        message = self._message(found, account)
        if message is None:
            return False
        with self._database.read() as session:
            number = party_no(session, found.party)
        if found.ended_by(self._reader.withdrawn_at(number, found.digest)):
            return True
        if act is None:
            raise Conflict(
                "ACT_SIGNATURE_REQUIRED",
                "The chain needs the party's own signature of this withdrawal.",
                where=f"withdrawal {entry['id']}",
                hint="Sign `to_sign` with the key that signed the entry, and hand in both.",
                account=account,
                to_sign=message.hex(),
            )
        self._client.send(withdraw_for(account, [found.digest], act))
        return True

    def _message(self, found: _Statement, account: str) -> bytes | None:
        with self._database.read() as session:
            suites = {key.account: suite_of_key(key.public_key) for key in live_keys(session, found.party)}
        if account not in suites:
            raise Forbidden(
                "PARTY_UNKNOWN_ACCOUNT",
                "The account is none of the party's that are in force.",
                where=account,
                hint="Use the party's present key.",
            )
        if suites[account] is SM2SM3:
            return None
        return withdrawals_message(self._reader.chain, account, [found.digest])


def cancel_request(session: Session, identifier: str) -> None:
    """A request whose consent was withdrawn before a certificate came of it leads nowhere any more."""
    request = access_request(session, identifier)
    if "withdraw" in REQUEST.moves_from(request.state):
        request.state = REQUEST.next(request.state, "withdraw")


def _found(session: Session, **by: str) -> _Statement:
    """A consent, or what was supplied, by its id or its digest; raises ``NotFound`` ``STATEMENT_UNKNOWN``."""
    consent = session.scalar(select(Authorization).filter_by(**by))
    if consent is not None:
        return _Statement(consent.digest, consent.subject, is_consent=True)
    supplied = session.scalar(select(Provision).filter_by(**by))
    if supplied is not None:
        return _Statement(supplied.digest, supplied.provider, is_consent=False)
    raise NotFound(
        "STATEMENT_UNKNOWN",
        "No authorization and no provision of this ledger is that.",
        where=next(iter(by.values())),
        hint="Check the id or the digest.",
    )
