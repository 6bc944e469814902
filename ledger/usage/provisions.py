"""Provisions: providers fetch tasks, and submit signed claim digests and their disclosures. They never submit rows of
data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.domain.canonical import canonical
from ledger.domain.days import Clock
from ledger.domain.digests import hex_of
from ledger.errors import BadBundle, Conflict, Forbidden, InvalidInput, NotFound, PingzhengError
from ledger.parties.lookups import speaking_keys_of
from ledger.parties.statements import Intake, Statement
from ledger.proof.bundle import ChainId
from ledger.proof.sdjwt import Disclosed
from ledger.provider.platform import Notices, Page
from ledger.provider.supply import Supply as Supply
from ledger.provider.task import Task
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import TemplatesInForce
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sealing import NewText, Sealer, encrypted
from ledger.store.sets import add_rows
from ledger.store.tables import Entry
from ledger.usage.answering.answered_authorizations import AnsweredAuthorizations, SeenClaims
from ledger.usage.lookups import access_request, authorization
from ledger.usage.provision_checks import (
    AnswerBasis,
    check_against,
    check_by_itself,
    check_turn,
    check_withdrawal,
    require_answerable,
    require_open,
)
from ledger.usage.provision_tasks import task_for
from ledger.usage.recorded import RecordedAuthorization, RecordedProvision
from ledger.usage.tables import AccessRequest, Authorization, Provision, SeenClaim

Relay = Callable[[dict[str, Any], bytes | None], object]
REFUSALS = (BadBundle, Conflict, Forbidden, InvalidInput, NotFound)


@dataclass(frozen=True, slots=True)
class Answer:
    """A signed answer. ``text`` contains the encrypted disclosures of the answer; it is None without disclosures."""

    statement: Statement
    supply: Supply
    text: NewText | None

    @classmethod
    def of(cls, statement: Statement, supply: Supply) -> Answer:
        """Encrypt the disclosures of an answer."""
        disclosures = {"disclosures": list(supply.disclosures)}
        return cls(statement, supply, encrypted(canonical(disclosures)) if supply.disclosures else None)


@dataclass(eq=False, repr=False)
class Provisions:
    """Gives tasks to providers and records their answers. ``relay`` sends the withdrawal of a corrected provision to
    the chain.
    """

    _database: Database
    _sealer: Sealer
    _scenarios: ScenarioBook
    _chain: ChainId
    _intake: Intake
    _relay: Relay
    _clock: Clock

    def asked(self, provider: str, after: str | None, limit: int) -> list[RecordedAuthorization]:
        """Return the active authorizations, ordered by id, that this provider has not answered, or answered only with a
        time-out.

        Cancelled requests, requests made under another version of the scenario, and erased subjects are left out.
        """
        with self._database.read() as session:
            rows = self._waiting(session, provider, after, limit)
            return RecordedAuthorization.all_of(session, rows, self._clock())

    def _waiting(self, session: Session, provider: str, after: str | None, limit: int) -> list[Authorization]:
        answered = select(Provision.authorization_id).where(
            Provision.provider == provider, Provision.result != "timed_out"
        )
        query = (
            select(Authorization)
            .join(AccessRequest, AccessRequest.id == Authorization.request_id)
            .where(Authorization.provider == provider, Authorization.state == "active")
            .where(AccessRequest.state != "cancelled", Authorization.subject.not_in(select(ErasureRecord.target)))
            .where(Authorization.id.not_in(answered))
            .order_by(Authorization.id)
            .limit(limit)
        )
        waiting: list[Authorization] = []
        while len(waiting) < limit:
            rows = session.scalars(query if after is None else query.where(Authorization.id > after)).all()
            if not rows:
                break
            after = rows[-1].id
            waiting += [row for row in rows if self._waits(session, row)]
        return waiting[:limit]

    def _waits(self, session: Session, consent: Authorization) -> bool:
        """Return whether the authorization's period has not ended and the scenario has not changed."""
        if self._clock() >= log_store.statement(session, consent.digest)["valid_to"]:
            return False
        asked = log_store.statement(session, access_request(session, consent.request_id).digest)
        try:
            TemplatesInForce(self._scenarios).require(asked)
        except Conflict:
            return False
        return True

    def tasks(self, provider: str, after: str | None, limit: int) -> list[Task]:
        """Return the tasks that this provider has not answered (see ``asked``). A task contains the subject's
        identifier.
        """
        with self._database.read() as session:
            rows = self._waiting(session, provider, after, limit)
            answered = AnsweredAuthorizations(session, (row.digest for row in rows))
            return [task_for(session, self._sealer, self._chain, answered.basis_of(row)) for row in rows]

    def task(self, authorization_id: str) -> Task:
        """Return the task of one authorization. If the provider has already supplied data, the task is a correction.

        Raises ``Conflict`` if ``submit`` would refuse every answer to the task, ``NotFound`` ``AUTHORIZATION_UNKNOWN``,
        ``SEALED_ERASED``.
        """
        with self._database.read() as session:
            row = authorization(session, authorization_id)
            basis = AnsweredAuthorizations(session, [row.digest]).basis_of(row)
            self._require_in_force(basis, TemplatesInForce(self._scenarios), self._clock())
            if basis.before:
                require_open(basis.before[-1])
            return task_for(session, self._sealer, self._chain, basis)

    def erasures(self, provider: str, after: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
        """Return the erasures of this provider's subjects: for each the number of its log entry (above ``after``), and
        the log entry itself.
        """
        subjects = select(Authorization.subject).where(Authorization.provider == provider)
        entries = select(ErasureRecord.digest).where(ErasureRecord.subject.in_(subjects))
        query = select(Entry).where(Entry.digest.in_(entries), Entry.seq > after).order_by(Entry.seq).limit(limit)
        with self._database.read() as session:
            return [(row.seq, log_store.statement(session, row.digest)) for row in session.scalars(query)]

    def get(self, identifier: str) -> RecordedProvision:
        """Return the provision. Raises ``NotFound`` ``PROVISION_UNKNOWN``."""
        with self._database.read() as session:
            return RecordedProvision.of(_provision(session, identifier))

    def claims(self, identifier: str) -> tuple[RecordedProvision, dict[str, Any]]:
        """Return a provision with its claims. It has no claims unless the result is ``supplied``. Raises
        ``NotFound``."""
        with self._database.read() as session:
            row = _provision(session, identifier)
            disclosed = [] if row.sealed_id is None else disclosures_of(session, self._sealer, row)
        return RecordedProvision.of(row), {item.name: item.value for item in disclosed}

    def submit(self, supplies: Sequence[Supply]) -> list[RecordedProvision]:
        """Record signed answers, all or none; an answer that is recorded already is returned unchanged.

        Afterwards the corrected provisions are withdrawn on the chain with the acts that the providers signed. Raises
        the errors of ``provision_checks`` and of ``Withdrawals.relay``; the errors of ``Intake.require``;
        ``Forbidden`` ``SIGNER_NOT_PROVIDER``; ``Conflict``; ``NotFound`` ``AUTHORIZATION_UNKNOWN``.
        """
        statements = self._intake.require_all((supply.entry for supply in supplies), "provision")
        for number, supply in enumerate(supplies, start=1):
            if supply.withdrawn is not None:
                self._intake.require(supply.withdrawn, "withdrawal", f"provision {number}")
        with self._database.read() as session:
            keys = speaking_keys_of(session, (supply.entry["provider"] for supply in supplies))
        disclosed = {}
        for number, (supply, statement) in enumerate(zip(supplies, statements, strict=True), start=1):
            where = f"provision {number}"
            disclosed[statement.digest] = check_by_itself(supply, where)
            if not statement.signed_with(keys.get(supply.entry["provider"], ())):
                raise Forbidden("SIGNER_NOT_PROVIDER", "The provision is not signed by the provider.", where=where)
        answers = {each.digest: Answer.of(each, supply) for each, supply in zip(statements, supplies, strict=True)}
        now = self._clock()
        with self._database.read() as session:
            known = self._intake.known(session, Provision, statements, _taken)
            new = [each for each in answers.values() if each.supply.entry["id"] not in known]
            answered = AnsweredAuthorizations(session, (hex_of(each.supply.entry["authorization"]) for each in new))
        self._check(answered, new, disclosed, now)
        with self._database.write() as session:
            recorded = self._record(session, answered, answers, now)
        for supply in supplies:
            if supply.withdrawn is not None:
                self._relay(supply.withdrawn, supply.withdrawal)
        return [recorded[each.entry["id"]] for each in statements]

    def _check(
        self,
        answered: AnsweredAuthorizations,
        new: Sequence[Answer],
        disclosed: Mapping[str, Sequence[Disclosed]],
        now: int,
    ) -> None:
        """Check each answer against the statements that it rests on, and against the answers before it in the call."""
        templates = TemplatesInForce(self._scenarios)
        for each in new:
            entry, basis = each.supply.entry, answered.basis(each.supply.entry)
            check_against(entry, disclosed[each.statement.digest], basis)
            self._require_in_force(basis, templates, now)
            answered.add(basis, _row(each.statement, basis, now), entry)

    def _record(
        self, session: Session, answered: AnsweredAuthorizations, answers: Mapping[str, Answer], now: int
    ) -> dict[str, RecordedProvision]:
        """Record the checked answers. Facts that can change after the first checks, such as the states of the requests,
        are checked again.
        """
        known = self._intake.known(session, Provision, (each.statement for each in answers.values()), _taken)
        new = [each for each in answers.values() if each.supply.entry["id"] not in known]
        answered.read_states(session)
        correcting = (each.supply.entry["provider"] for each in new if each.supply.withdrawn is not None)
        keys = speaking_keys_of(session, correcting)
        seen, rows = SeenClaims(session, [each.supply.entry for each in new]), []
        for each in new:
            entry, basis = each.supply.entry, answered.basis(each.supply.entry)
            check_turn(entry, basis)
            require_answerable(basis, now)
            check_withdrawal(each.supply, keys.get(entry["provider"], ()), self._chain)
            seen.require_unseen(basis, entry, answered.new_claims(basis, entry))
            rows.append(_row(each.statement, basis, now))
            answered.add(basis, rows[-1], entry)
        self._intake.append_all(session, (each.statement.logged for each in new))
        texts = [each.text for each in new]
        sealed = iter(self._sealer.add_all(session, (text for text in texts if text is not None)))
        rows = [row | {"sealed_id": next(sealed) if text else None} for row, text in zip(rows, texts, strict=True)]
        add_rows(session, Provision, rows)
        add_rows(session, SeenClaim, seen.rows)
        recorded = {row["id"]: RecordedProvision.new(row) for row in rows}
        return recorded | {identifier: RecordedProvision.of(row) for identifier, row in known.items()}

    def _require_in_force(self, basis: AnswerBasis, templates: TemplatesInForce, now: int) -> None:
        """Raise ``Conflict`` if the authorization is not active, the request is cancelled, or the template is not in
        force.
        """
        require_answerable(basis, now)
        templates.require(basis.asked)


class OwnPlatform:
    """The platform for a provider whose program runs in the same installation, as in demonstrations and tests."""

    def __init__(self, provisions: Provisions, provider: str, page: int = 200) -> None:
        self._provisions = provisions
        self._provider = provider
        self._page = page

    def tasks(self, after: str | None) -> Page:
        """Return a page of tasks, as ``Platform.tasks`` does."""
        found = self._provisions.tasks(self._provider, after, self._page)
        return Page(tuple(found), found[-1].authorization["id"] if len(found) == self._page else None)

    def task(self, authorization_id: str) -> Task:
        """Return the task of one authorization, as ``Platform.task`` does."""
        return self._provisions.task(authorization_id)

    def erasures(self, after: str | None) -> Notices:
        """Return erasures, as ``Platform.erasures`` does."""
        found = self._provisions.erasures(self._provider, -1 if after is None else int(after), self._page)
        return Notices(tuple(entry for _, entry in found), str(found[-1][0]) if found else None)

    def submit(self, supplies: Sequence[Supply]) -> list[PingzhengError | None]:
        """Submit all answers in one call. If an answer is refused, submit each answer alone and return the refusals."""
        try:
            self._provisions.submit(supplies)
        except REFUSALS:
            return [self._refusal(supply) for supply in supplies]
        return [None] * len(supplies)

    def _refusal(self, supply: Supply) -> PingzhengError | None:
        try:
            self._provisions.submit([supply])
        except REFUSALS as refusal:
            return refusal
        return None


def _row(statement: Statement, basis: AnswerBasis, now: int) -> dict[str, Any]:
    return {name: statement.entry[name] for name in ("id", "provider", "result", "reason")} | {
        "authorization_id": basis.consent.id,
        "number": len(basis.before) + 1,
        "digest": statement.digest,
        "sealed_id": None,
        "created_at": now,
    }


def disclosures_of(session: Session, sealer: Sealer, row: Provision) -> list[Disclosed]:
    """Return the decrypted disclosures of a supplied provision. Raises ``NotFound`` ``SEALED_ERASED`` if they were
    erased.
    """
    opened = sealer.open_object(session, str(row.sealed_id))
    return [Disclosed.decode(item) for item in opened["disclosures"]]


def _provision(session: Session, identifier: str) -> Provision:
    row = session.get(Provision, identifier)
    if row is None:
        raise NotFound(
            "PROVISION_UNKNOWN", "There is no provision with this id.", hint="Check the id, a ULID of 26 characters."
        )
    return row


def _taken(identifier: str) -> Conflict:
    return Conflict("PROVISION_ID_TAKEN", "Another provision has this id.", where=identifier)
