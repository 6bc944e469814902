"""What each party may do before a certificate is issued: consumers request, subjects authorise, providers supply.

Each method raises ``Forbidden`` ``PARTY_LACKS_ROLE`` if the actor's roles do not permit the act, and the errors of the
method it calls.
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
from ledger.usage.provisions import OwnPlatform, Provisions
from ledger.usage.recorded import RecordedAuthorization, RecordedProvision, RecordedRequest
from ledger.usage.request_notes import Note
from ledger.usage.request_terms import Terms
from ledger.usage.requests import Asked, Requests
from ledger.usage.withdrawals import WithdrawalDraft, Withdrawals


class ConsumerActs:
    """The acts of a consumer, or of a broker that acts for the consumer."""

    def __init__(self, requests: Requests, mandates: Mandates) -> None:
        self._requests = requests
        self._mandates = mandates

    def draft(self, actor: Actor, terms: Terms, note: Note) -> Asked:
        """Check the actor's permission, then call ``Requests.draft``."""
        self._require_consumer(actor, terms.consumer)
        return self._requests.draft(terms, note)

    def ask(self, actor: Actor, requests: Sequence[Asked]) -> list[RecordedRequest]:
        """Check the actor's permission, then call ``Requests.submit``."""
        self.require_asking(actor, [request.entry for request in requests])
        return self._requests.submit(requests)

    def require_asking(self, actor: Actor, statements: Sequence[dict[str, Any]]) -> None:
        """Raise ``Forbidden`` unless the actor may make all these requests."""
        for consumer in {str(statement.get("consumer")) for statement in statements}:
            self._require_consumer(actor, consumer)

    def cancel(self, actor: Actor, identifier: str) -> RecordedRequest:
        """Check the actor's permission, then call ``Requests.cancel``."""
        self._require_consumer(actor, self._requests.get(identifier).consumer)
        return self._requests.cancel(identifier)

    def _require_consumer(self, actor: Actor, consumer: str) -> None:
        require(actor, Action.REQUEST_DATA, owns=True)
        if actor.party == consumer:
            return
        if Role.BROKER not in actor.roles:
            raise Forbidden("NOT_A_MEMBER", "Only the consumer or its broker can make a request.", where="consumer")
        self._mandates.require(consumer, actor.party)


class SubjectActs:
    """The acts of a subject: answer requests, and withdraw authorizations."""

    def __init__(self, requests: Requests, authorizations: Authorizations, withdrawals: Withdrawals) -> None:
        self._requests = requests
        self._authorizations = authorizations
        self._withdrawals = withdrawals

    def draft(self, actor: Actor, request: str, choice: Choice) -> list[AuthorizationDraft]:
        """Call ``Authorizations.draft``, and record that the subject has seen the request."""
        self._require_asked(actor, request)
        self._requests.see(request)
        return self._authorizations.draft(request, choice)

    def preview(self, actor: Actor, request: str, choice: Choice) -> list[AuthorizationDraft]:
        """Call ``Authorizations.draft``; record nothing."""
        self._require_asked(actor, request)
        return self._authorizations.draft(request, choice)

    def authorise(self, actor: Actor, statements: Sequence[dict[str, Any]]) -> list[RecordedAuthorization]:
        """Check the actor's permission, then call ``Authorizations.submit``."""
        self.require_authorising(actor, statements)
        return self._authorizations.submit(statements)

    def require_authorising(self, actor: Actor, statements: Sequence[dict[str, Any]]) -> None:
        """Raise ``Forbidden`` unless the actor is the subject of all these authorizations."""
        own = all(statement.get("subject") == actor.party for statement in statements)
        require(actor, Action.AUTHORISE, owns=own)

    def decline(self, actor: Actor, request: str) -> RecordedRequest:
        """Check the actor's permission, then call ``Requests.decline``."""
        self._require_asked(actor, request)
        return self._requests.decline(request)

    def draft_withdrawal(self, actor: Actor, authorization: str, account: str | None) -> WithdrawalDraft:
        """Check the actor's permission, then call ``Withdrawals.draft``."""
        require(actor, Action.AUTHORISE, owns=self._authorizations.get(authorization).subject == actor.party)
        return self._withdrawals.draft(authorization, account)

    def withdraw(
        self, actor: Actor, authorization: str, statement: dict[str, Any], act: bytes | None
    ) -> RecordedAuthorization:
        """Call ``Withdrawals.withdraw``. Raises ``InvalidInput`` ``WITHDRAWAL_OF_ANOTHER`` if the entry withdraws
        another authorization.
        """
        own = self._authorizations.get(authorization).subject == actor.party == statement.get("party")
        require(actor, Action.AUTHORISE, owns=own)
        _require_of(self._withdrawals, authorization, statement)
        return self._withdrawals.withdraw(statement, act)

    def _require_asked(self, actor: Actor, request: str) -> None:
        require(actor, Action.AUTHORISE, owns=self._requests.get(request).subject == actor.party)


class ProviderActs:
    """The acts of a provider: answer authorizations that name the provider, and withdraw what the provider supplied."""

    def __init__(self, authorizations: Authorizations, provisions: Provisions, withdrawals: Withdrawals) -> None:
        self._authorizations = authorizations
        self._provisions = provisions
        self._withdrawals = withdrawals

    def platform(self, actor: Actor) -> OwnPlatform:
        """Return the platform for a provider whose program runs in the same installation."""
        require(actor, Action.SUPPLY_DATA, owns=True)
        return OwnPlatform(self._provisions, actor.party)

    def asked(self, actor: Actor, after: str | None, limit: int) -> list[RecordedAuthorization]:
        """Check the actor's permission, then call ``Provisions.asked``."""
        require(actor, Action.SUPPLY_DATA, owns=True)
        return self._provisions.asked(actor.party, after, limit)

    def tasks(self, actor: Actor, after: str | None, limit: int) -> list[Task]:
        """Check the actor's permission, then call ``Provisions.tasks``."""
        require(actor, Action.SUPPLY_DATA, owns=True)
        return self._provisions.tasks(actor.party, after, limit)

    def task(self, actor: Actor, authorization: str) -> Task:
        """Check the actor's permission, then call ``Provisions.task``."""
        require(actor, Action.SUPPLY_DATA, owns=self._authorizations.get(authorization).provider == actor.party)
        return self._provisions.task(authorization)

    def erasures(self, actor: Actor, after: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
        """Check the actor's permission, then call ``Provisions.erasures``."""
        require(actor, Action.SUPPLY_DATA, owns=True)
        return self._provisions.erasures(actor.party, after, limit)

    def supply(self, actor: Actor, answers: Sequence[Supply]) -> list[RecordedProvision]:
        """Check the actor's permission, then call ``Provisions.submit``."""
        self.require_supplying(actor, [answer.entry for answer in answers])
        return self._provisions.submit(answers)

    def require_supplying(self, actor: Actor, statements: Sequence[dict[str, Any]]) -> None:
        """Raise ``Forbidden`` unless the actor is the provider of all these answers."""
        require(actor, Action.SUPPLY_DATA, owns=all(each.get("provider") == actor.party for each in statements))

    def claims(self, actor: Actor, provision: str) -> tuple[str, dict[str, Any]]:
        """Return the subject's party id and the claims of an answer that the actor gave; see ``Provisions.claims``."""
        row, claims = self._provisions.claims(provision)
        require(actor, Action.SEE_PAYLOAD, owns=row.provider == actor.party)
        return self._authorizations.get(row.authorization_id).subject, claims

    def draft_withdrawal(self, actor: Actor, provision: str, account: str | None) -> WithdrawalDraft:
        """Check the actor's permission, then call ``Withdrawals.draft``."""
        require(actor, Action.SUPPLY_DATA, owns=self._provisions.get(provision).provider == actor.party)
        return self._withdrawals.draft(provision, account)

    def withdraw(self, actor: Actor, provision: str, statement: dict[str, Any], act: bytes | None) -> None:
        """Call ``Withdrawals.withdraw_provision``. Raises ``InvalidInput`` ``WITHDRAWAL_OF_ANOTHER`` if the entry
        withdraws another provision.
        """
        own = self._provisions.get(provision).provider == actor.party == statement.get("party")
        require(actor, Action.SUPPLY_DATA, owns=own)
        _require_of(self._withdrawals, provision, statement)
        self._withdrawals.withdraw_provision(statement, act)


@dataclass(frozen=True, slots=True)
class RequestInFull:
    """A request, its signed statement, its authorizations, and the consumer's note if the actor may read it."""

    request: RecordedRequest
    entry: dict[str, Any]
    note: dict[str, str] | None
    authorizations: list[RecordedAuthorization]


class OwnStatements:
    """Returns requests, authorizations and notices to their parties. Readers of the full log also get requests and
    authorizations, but no notices.
    """

    def __init__(self, requests: Requests, authorizations: Authorizations, principals: Principals) -> None:
        self._requests = requests
        self._authorizations = authorizations
        self._principals = principals

    def request(self, actor: Actor, identifier: str) -> RequestInFull:
        """Return one request. Raises ``NotFound`` ``REQUEST_UNKNOWN``."""
        found = self._requests.get(identifier)
        own = self._is_of(actor, found.subject, found.consumer)
        require(actor, Action.READ_LOG, owns=own)
        return RequestInFull(
            found,
            self._requests.statement(identifier),
            # An authority or supervisor may read the request, because it is in the log. The consumer's note is not in
            # the log, so only the request's own parties get it.
            self._requests.note(identifier) if own else None,
            self._authorizations.of_request(identifier),
        )

    def authorization(self, actor: Actor, identifier: str) -> RecordedAuthorization:
        """Return one authorization. Raises ``NotFound`` ``AUTHORIZATION_UNKNOWN``."""
        found = self._authorizations.get(identifier)
        require(actor, Action.READ_LOG, owns=self._is_of(actor, found.subject, found.consumer, found.provider))
        return found

    def notice(self, actor: Actor, authorization: str) -> dict[str, Any]:
        """Return the notice (``Authorizations.notice``). Raises ``Forbidden`` ``NOT_YOURS`` if the actor is no party of
        the authorization.
        """
        found = self._authorizations.get(authorization)
        if not self._is_of(actor, found.subject, found.consumer, found.provider):
            raise Forbidden(
                "NOT_YOURS",
                "Only the parties of an authorization can read its notice, which is not part of the log.",
                where="authorization",
                hint="告知书仅供当事各方查阅。 Ask the subject, the consumer or the provider for the notice.",
            )
        return self._authorizations.notice(authorization)

    def _is_of(self, actor: Actor, *parties: str) -> bool:
        return not self._principals.of(actor).isdisjoint(parties)


def _require_of(withdrawals: Withdrawals, identifier: str, statement: Mapping[str, Any]) -> None:
    """Raise ``InvalidInput`` unless the signed entry withdraws the statement with this id."""
    if statement.get("statement") != withdrawals.draft(identifier).entry["statement"]:
        raise InvalidInput(
            "WITHDRAWAL_OF_ANOTHER",
            "The signed withdrawal does not name the statement whose id is in the URL.",
            where="statement",
            hint="Sign the withdrawal that is drafted for this id.",
        )
