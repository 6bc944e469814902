"""What parties do on the way to a certificate, each in its own part: consumers ask, subjects allow, providers supply.

Each raises ``Forbidden`` ``PARTY_LACKS_ROLE`` for an actor whose part it is not, and as the act itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.domain.parties import Role
from ledger.errors import Forbidden, InvalidInput
from ledger.parties.mandates import Mandates
from ledger.parties.permissions import Action
from ledger.parties.principals import Principals
from ledger.parties.roles import Actor, require
from ledger.provider.supply import Supply
from ledger.provider.task import Task
from ledger.usage.authorizations import AuthorizationDraft, Authorizations, Choice
from ledger.usage.provisions import Provisions
from ledger.usage.recorded import RecordedAuthorization, RecordedProvision, RecordedRequest
from ledger.usage.request_notes import Note
from ledger.usage.request_terms import Terms
from ledger.usage.requests import Asked, Requests
from ledger.usage.withdrawals import WithdrawalDraft, Withdrawals


class ConsumerActs:
    """A consumer asks, or a broker for it."""

    def __init__(self, requests: Requests, mandates: Mandates) -> None:
        self._requests = requests
        self._mandates = mandates

    def draft(self, actor: Actor, terms: Terms, note: Note) -> Asked:
        """As ``Requests.draft``."""
        self._require_consumer(actor, terms.consumer)
        return self._requests.draft(terms, note)

    def ask(self, actor: Actor, request: Asked) -> RecordedRequest:
        """As ``Requests.submit``."""
        self._require_consumer(actor, str(request.entry.get("consumer")))
        return self._requests.submit([request])[0]

    def cancel(self, actor: Actor, identifier: str) -> RecordedRequest:
        """As ``Requests.cancel``."""
        self._require_consumer(actor, self._requests.get(identifier).consumer)
        return self._requests.cancel(identifier)

    def _require_consumer(self, actor: Actor, consumer: str) -> None:
        require(actor, Action.REQUEST_DATA, owns=True)
        if actor.party == consumer:
            return
        if Role.BROKER not in actor.roles:
            raise Forbidden("NOT_A_MEMBER", "Only the consumer or its broker makes a request.", where="consumer")
        self._mandates.require(consumer, actor.party)


class SubjectActs:
    """A subject answers what it is asked, and takes back what it allowed."""

    def __init__(self, requests: Requests, authorizations: Authorizations, withdrawals: Withdrawals) -> None:
        self._requests = requests
        self._authorizations = authorizations
        self._withdrawals = withdrawals

    def draft(self, actor: Actor, request: str, choice: Choice) -> list[AuthorizationDraft]:
        """As ``Authorizations.draft``; the request counts as seen."""
        self._require_asked(actor, request)
        self._requests.see(request)
        return self._authorizations.draft(request, choice)

    def authorise(self, actor: Actor, statements: Sequence[dict[str, Any]]) -> list[RecordedAuthorization]:
        """As ``Authorizations.submit``."""
        own = all(statement.get("subject") == actor.party for statement in statements)
        require(actor, Action.AUTHORISE, owns=own)
        return self._authorizations.submit(statements)

    def decline(self, actor: Actor, request: str) -> RecordedRequest:
        """As ``Requests.decline``."""
        self._require_asked(actor, request)
        return self._requests.decline(request)

    def draft_withdrawal(self, actor: Actor, authorization: str, account: str | None) -> WithdrawalDraft:
        """As ``Withdrawals.draft``."""
        require(actor, Action.AUTHORISE, owns=self._authorizations.get(authorization).subject == actor.party)
        return self._withdrawals.draft(authorization, account)

    def withdraw(
        self, actor: Actor, authorization: str, statement: dict[str, Any], act: bytes | None
    ) -> RecordedAuthorization:
        """As ``Withdrawals.withdraw``, of this authorization; ``InvalidInput`` ``WITHDRAWAL_OF_ANOTHER``."""
        own = self._authorizations.get(authorization).subject == actor.party == statement.get("party")
        require(actor, Action.AUTHORISE, owns=own)
        _require_of(self._withdrawals, authorization, statement)
        return self._withdrawals.withdraw(statement, act)

    def _require_asked(self, actor: Actor, request: str) -> None:
        require(actor, Action.AUTHORISE, owns=self._requests.get(request).subject == actor.party)


class ProviderActs:
    """A provider answers under authorizations that name it, and takes back what it supplied."""

    def __init__(self, authorizations: Authorizations, provisions: Provisions, withdrawals: Withdrawals) -> None:
        self._authorizations = authorizations
        self._provisions = provisions
        self._withdrawals = withdrawals

    def tasks(self, actor: Actor, after: str | None, limit: int) -> list[Task]:
        """As ``Provisions.tasks``, of the actor."""
        require(actor, Action.SUPPLY_DATA, owns=True)
        return self._provisions.tasks(actor.party, after, limit)

    def task(self, actor: Actor, authorization: str) -> Task:
        """As ``Provisions.task``."""
        require(actor, Action.SUPPLY_DATA, owns=self._authorizations.get(authorization).provider == actor.party)
        return self._provisions.task(authorization)

    def erasures(self, actor: Actor, after: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
        """As ``Provisions.erasures``, for the actor."""
        require(actor, Action.SUPPLY_DATA, owns=True)
        return self._provisions.erasures(actor.party, after, limit)

    def supply(self, actor: Actor, answer: Supply) -> RecordedProvision:
        """As ``Provisions.submit``."""
        require(actor, Action.SUPPLY_DATA, owns=answer.entry.get("provider") == actor.party)
        return self._provisions.submit([answer])[0]

    def claims(self, actor: Actor, provision: str) -> tuple[str, dict[str, Any]]:
        """The subject that the actor's own answer is about, and the claims of the answer, as ``Provisions.claims``."""
        row, claims = self._provisions.claims(provision)
        require(actor, Action.SEE_PAYLOAD, owns=row.provider == actor.party)
        return self._authorizations.get(row.authorization_id).subject, claims

    def draft_withdrawal(self, actor: Actor, provision: str, account: str | None) -> WithdrawalDraft:
        """As ``Withdrawals.draft``."""
        require(actor, Action.SUPPLY_DATA, owns=self._provisions.get(provision).provider == actor.party)
        return self._withdrawals.draft(provision, account)

    def withdraw(self, actor: Actor, provision: str, statement: dict[str, Any], act: bytes | None) -> None:
        """As ``Withdrawals.withdraw_provision``, of this provision; ``InvalidInput`` ``WITHDRAWAL_OF_ANOTHER``."""
        own = self._provisions.get(provision).provider == actor.party == statement.get("party")
        require(actor, Action.SUPPLY_DATA, owns=own)
        _require_of(self._withdrawals, provision, statement)
        self._withdrawals.withdraw_provision(statement, act)


@dataclass(frozen=True, slots=True)
class RequestInFull:
    """A request with its signed statement, what was authorised, and the consumer's note where the actor may read it."""

    request: RecordedRequest
    entry: dict[str, Any]
    note: dict[str, str] | None
    authorizations: list[RecordedAuthorization]


class OwnStatements:
    """Requests, authorizations and notices, for those whom they name, and the first two for who reads the full log."""

    def __init__(self, requests: Requests, authorizations: Authorizations, principals: Principals) -> None:
        self._requests = requests
        self._authorizations = authorizations
        self._principals = principals

    def request(self, actor: Actor, identifier: str) -> RequestInFull:
        """One request; raises ``NotFound`` ``REQUEST_UNKNOWN``."""
        found = self._requests.get(identifier)
        own = self._is_of(actor, found.subject, found.consumer)
        require(actor, Action.READ_LOG, owns=own)
        return RequestInFull(
            found,
            self._requests.statement(identifier),
            # What is sealed is not of the log that offices read.
            self._requests.note(identifier) if own else None,
            self._authorizations.of_request(identifier),
        )

    def authorization(self, actor: Actor, identifier: str) -> RecordedAuthorization:
        """One authorization; raises ``NotFound`` ``AUTHORIZATION_UNKNOWN``."""
        found = self._authorizations.get(identifier)
        require(actor, Action.READ_LOG, owns=self._is_of(actor, found.subject, found.consumer, found.provider))
        return found

    def notice(self, actor: Actor, authorization: str) -> dict[str, Any]:
        """As ``Authorizations.notice``; ``Forbidden`` ``NOT_YOURS`` for whom the authorization does not name."""
        found = self._authorizations.get(authorization)
        if not self._is_of(actor, found.subject, found.consumer, found.provider):
            raise Forbidden(
                "NOT_YOURS",
                "The notice is for the parties that it names; it is not of the log that offices read.",
                where="authorization",
                hint="告知书仅供当事各方查阅。 Ask the subject, the consumer or the provider for it.",
            )
        return self._authorizations.notice(authorization)

    def _is_of(self, actor: Actor, *parties: str) -> bool:
        return not self._principals.of(actor).isdisjoint(parties)


def _require_of(withdrawals: Withdrawals, identifier: str, statement: Mapping[str, Any]) -> None:
    """What is named by its id and what the signed entry takes back are one and the same."""
    if statement.get("statement") != withdrawals.draft(identifier).entry["statement"]:
        raise InvalidInput(
            "WITHDRAWAL_OF_ANOTHER",
            "The signed withdrawal is of another statement than the one in the address.",
            where="statement",
            hint="Sign the draft that this address gives.",
        )
