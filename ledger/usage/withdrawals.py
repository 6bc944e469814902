"""Withdrawals: only the subject can withdraw its authorization, and only the provider can withdraw what it supplied.

A withdrawal takes effect when the party's signed act is on the chain; the signed entry in the log gives the reason. The
chain cannot check SM2 signatures, so with an SM2 key the entry alone withdraws the statement. The service sends the act
and pays for it. The service cannot create an act without the party's key, and cannot suppress an act, because anybody
can send a signed act.

A key that was reported as lost or stolen can still withdraw its subject's authorizations: a thief of the key can do no
more with it than stop uses of the subject's data. A reported key cannot withdraw what a provider supplied, because
otherwise a thief could end every certificate that rests on the provider's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """The unsigned entry and the unsigned ``message`` for the chain (``sign_act``). One key must sign both.

    ``message`` is None for an SM2 key, because the chain cannot check SM2 signatures. Then only the entry is signed,
    and the entry alone withdraws the statement.
    """

    entry: dict[str, Any]
    message: bytes | None


@dataclass(frozen=True, slots=True)
class _Statement:
    """The digest of a statement to withdraw, and the party that can withdraw it: the subject for an authorization, the
    provider for a provision.
    """

    digest: str
    party: str
    is_consent: bool

    def ended_by(self, withdrawal: WithdrawalFact) -> bool:
        """Return whether the chain's record withdraws the statement. A key that is reported lost can withdraw only
        authorizations.
        """
        return bool(withdrawal.first if self.is_consent else withdrawal.at)


@dataclass(eq=False, repr=False)
class Withdrawals:
    """Sends and records withdrawals. Each call can be repeated after a crash at any point."""

    _database: Database
    _client: ChainClient
    _reader: ChainReader
    _parties: Parties
    _intake: Intake
    _positions: Positions
    _status: CertificateStatus
    _clock: Clock

    def draft(self, identifier: str, account: str | None = None) -> WithdrawalDraft:
        """Return what a party must sign to withdraw the authorization or provision with this id.

        ``account`` is the account of the key that will sign; by default the party's present account. Raises
        ``NotFound`` ``STATEMENT_UNKNOWN``, ``Forbidden`` ``PARTY_UNKNOWN_ACCOUNT``.
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
        """Withdraw an authorization with the subject's signed entry: first on the chain, then in the store.

        From then on, certificates that rest on the authorization fail verification, and are revoked; earlier
        verifications stay valid records. During a pause, certificates that cannot be anchored yet are revoked after the
        pause. Raises the errors of ``relay``, and ``NotFound`` ``AUTHORIZATION_UNKNOWN``.
        """
        found = self._checked(entry)
        if not found.is_consent:
            raise NotFound(
                "AUTHORIZATION_UNKNOWN",
                "The withdrawal does not name an authorization.",
                where=f"withdrawal {entry['id']}",
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
        revoke_anchored(self._status, self._positions, built, CONSENT_WITHDRAWN)
        if not on_chain:
            # The chain cannot check the signature, so only the entry withdraws the consent. The entry takes effect when
            # it is anchored, so during a pause the withdrawal must wait.
            with waiting_for_its_end():
                self._positions.wait(statement_digest(entry))
        return ended

    def withdraw_provision(self, entry: dict[str, Any], act: bytes | None) -> None:
        """Withdraw what a provider supplied, without a correction, and revoke the certificates that rest on it.

        A certificate that cannot be anchored during a pause is not revoked. This does no harm, because verifiers refuse
        every certificate whose provision was withdrawn. Raises the errors of ``relay``, and ``NotFound``
        ``PROVISION_UNKNOWN``.
        """
        found = self._checked(entry)
        if found.is_consent:
            raise NotFound(
                "PROVISION_UNKNOWN", "The withdrawal does not name a provision.", where=f"withdrawal {entry['id']}"
            )
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
        revoke_anchored(self._status, self._positions, built, SUPPLIED_WRONGLY)

    def relay(self, entry: dict[str, Any], act: bytes | None) -> None:
        """Send the withdrawing party's signed act to the chain, then record ``entry``. No certificate is revoked.

        ``act`` is the signature over the draft's message, by the key that signed the entry. Raises the errors of
        ``Intake.require``; ``Forbidden`` ``SIGNER_NOT_SUBJECT``, ``SIGNER_NOT_PROVIDER``, ``KEY_REPORTED``,
        ``LOG_SIGNATURE_INVALID``; ``Conflict`` ``ACT_SIGNATURE_REQUIRED`` with ``account`` and ``to_sign`` (hex);
        ``NotFound`` ``STATEMENT_UNKNOWN``.
        """
        found = self._checked(entry)
        self._send(found, entry, act)
        with self._database.write() as session:
            self._intake.append(session, entry)

    def _checked(self, entry: Mapping[str, Any]) -> _Statement:
        """Return the statement that a signed withdrawal names. Raises if the signer is not the party that
        can withdraw the statement.
        """
        self._intake.require(entry, "withdrawal", "withdrawal")
        with self._database.read() as session:
            found = _found(session, digest=hex_of(entry["statement"]))
            refusal = Forbidden(
                "SIGNER_NOT_SUBJECT" if found.is_consent else "SIGNER_NOT_PROVIDER",
                "The withdrawal is not signed by a key of the party whose statement it withdraws.",
                where=f"withdrawal {entry['id']}",
                hint="The subject withdraws its authorization, the provider withdraws what it supplied.",
            )
            if entry["party"] != found.party:
                raise refusal
            # Any key that is not retired may sign, even a key that is reported lost: for an authorization this is
            # enough. For a provision, a reported key is refused below.
            self._intake.require_signed(session, entry, found.party, refusal, keys=live_keys)
        if not found.is_consent:
            self._require_not_reported(entry_signature(entry).kid)
        return found

    def _require_not_reported(self, account: str) -> None:
        record = self._reader.account(account)
        if record is not None and record.reported_at:
            raise Forbidden(
                "KEY_REPORTED",
                "The key was reported as lost or stolen, so it cannot withdraw what a provider supplied.",
                where=account,
                hint="Sign the withdrawal with another key of the provider.",
                since=record.reported_at,
            )

    def _send(self, found: _Statement, entry: Mapping[str, Any], act: bytes | None) -> bool:
        """Send the party's act, unless it is on the chain already. If the chain cannot check the key's signatures, send
        nothing and return False.
        """
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
                "The chain requires the party's own signature of this withdrawal.",
                where=f"withdrawal {entry['id']}",
                hint="Sign `to_sign` with the key that signed the entry, and submit this signature with the entry.",
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
                "The account is not a valid account of the party.",
                where=account,
                hint="Use the party's present key.",
            )
        if suites[account] is SM2SM3:
            return None
        return withdrawals_message(self._reader.chain, account, [found.digest])


def revoke_anchored(status: CertificateStatus, positions: Positions, digests: Iterable[str], reason: str) -> None:
    """Anchor and revoke the certificates with these digests. Certificates that cannot be anchored during a pause are
    not revoked.
    """
    for digest in digests:
        with waiting_for_its_end():
            status.revoke_position(positions.wait(digest), reason)


def cancel_request(session: Session, identifier: str) -> None:
    """Cancel a request whose authorization was withdrawn before a certificate was issued."""
    request = access_request(session, identifier)
    if "withdraw" in REQUEST.moves_from(request.state):
        request.state = REQUEST.next(request.state, "withdraw")


def _found(session: Session, **by: str) -> _Statement:
    """Find an authorization or a provision by its id or digest. Raises ``NotFound`` ``STATEMENT_UNKNOWN``."""
    consent = session.scalar(select(Authorization).filter_by(**by))
    if consent is not None:
        return _Statement(consent.digest, consent.subject, is_consent=True)
    supplied = session.scalar(select(Provision).filter_by(**by))
    if supplied is not None:
        return _Statement(supplied.digest, supplied.provider, is_consent=False)
    raise NotFound(
        "STATEMENT_UNKNOWN",
        "This ledger has no authorization or provision with this id or digest.",
        where=next(iter(by.values())),
        hint="Check the id or the digest.",
    )
