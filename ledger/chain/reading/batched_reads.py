"""Questions to the contracts as of one block, collected first and sent together.

Asking gives a function that returns the answer. The first answer that is looked at sends everything asked until then in
one request. So questions that do not depend on another answer cost one turn to the node, however many they are.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any, Final

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, PARTY_REGISTRY, interface_of
from ledger.chain.contracts.names import (
    LEAF_STATUSES,
    PARTY_STATUSES,
    code_of_scenario,
    names_of_offices,
    names_of_roles,
)
from ledger.chain.reading.contract_state import (
    AccountRecord,
    Hold,
    PartyRecord,
    ProposalRecord,
)
from ledger.chain.rpc.answers import Block, block_of, log_query, named, octets
from ledger.chain.rpc.connection import call_parameters
from ledger.chain.sending.client import ChainClient
from ledger.domain.powers import ProposalState
from ledger.domain.reasons import REASONS
from ledger.errors import ChainUnavailable, NotFound
from ledger.proof.bundle import Position
from ledger.proof.facts import HoldFact, StatusFact, UseFact, WithdrawalFact

LEAVES_PER_WORD: Final = 128
BlockTag = int | str


class Questions:
    """What one block says. An answer raises ``ChainUnavailable`` when it is looked at; asking never does."""

    def __init__(self, client: ChainClient, block: BlockTag) -> None:
        self._client = client
        self._block = block
        self._places: dict[str, int] = {}
        self._calls: list[tuple[str, list[Any]]] = []
        self._answers: list[Any] = []

    def read(self, contract: str, function: str, *args: Any) -> Callable[[], list[Any]]:
        """The return values of a view function."""
        face, address = interface_of(contract), self._client.address_of(contract)
        result = self._ask("eth_call", call_parameters(address, face.encode_call(function, args), self._block))

        def answer() -> list[Any]:
            data = result()
            with self._reading(f"{contract}.{function}"):
                return face.decode_result(function, octets(data))

        return answer

    def block(self, number: int) -> Callable[[], Block | None]:
        """A block's header by its number, or None where the chain does not reach it."""
        result = self._ask("eth_getBlockByNumber", [hex(number), False])

        def answer() -> Block | None:
            raw = result()
            with self._reading("eth_getBlockByNumber"):
                return block_of(raw, number)

        return answer

    def log_events(self, name: str, first: int, last: int, **indexed: int) -> Callable[[], list[Event]]:
        """Events of the certificate log in blocks ``first`` to ``last``, both included, in order."""
        return self._events(CERTIFICATE_LOG, name, first, last, **indexed)

    def party_events(self, name: str, first: int, last: int, **indexed: int) -> Callable[[], list[Event]]:
        """Events of the registry of parties in blocks ``first`` to ``last``, both included, in order."""
        return self._events(PARTY_REGISTRY, name, first, last, **indexed)

    def asset_events(self, name: str, asset: str, first: int, last: int) -> Callable[[], list[Event]]:
        """Events of one asset in blocks ``first`` to ``last``, both included, in order."""
        return self._events(ASSET_REGISTRY, name, first, last, id=int(asset, 16))

    def _events(self, contract: str, name: str, first: int, last: int, **indexed: int) -> Callable[[], list[Event]]:
        topics = interface_of(contract).topics(name, **indexed)
        address = self._client.address_of(contract)
        ranges = self._client.connection.log_range.ranges(first, last)
        pieces = [self._ask("eth_getLogs", [log_query([address], *ends, topics)]) for ends in ranges]

        def answer() -> list[Event]:
            logs = [log for piece in pieces for log in piece()]
            with self._reading("eth_getLogs"):
                return self._client.decoder.decode(logs)

        return answer

    def account(self, account: str) -> Callable[[], AccountRecord | None]:
        """An account that is or was bound to a party, else None."""
        result = self.read(PARTY_REGISTRY, "accountOf", account)

        def answer() -> AccountRecord | None:
            (raw,) = result()
            if not raw["no"]:
                return None
            return AccountRecord(
                account=account.lower(),
                party_no=raw["no"],
                valid_from=raw["validFrom"],
                valid_to=raw["validTo"],
                reported_at=raw["reportedAt"],
                compromised_at=raw["compromisedAt"],
                proven=raw["proven"],
                proposal=raw["proposal"],
                acts=raw["acts"],
            )

        return answer

    def proposal(self, number: int) -> Callable[[], ProposalRecord]:
        """A proposal by its number from 1; the answer raises NotFound PROPOSAL_UNKNOWN."""
        result = self.read(PARTY_REGISTRY, "proposalOf", number)

        def answer() -> ProposalRecord:
            (raw,) = result()
            if not raw["state"]:
                raise NotFound("PROPOSAL_UNKNOWN", f"There is no proposal {number}.", where="proposal", hint=None)
            with self._reading("PartyRegistry.proposalOf"):
                return _proposal(number, raw)

        return answer

    def proposal_count(self) -> Callable[[], int]:
        """How many proposals were ever made; their numbers are 1 to this."""
        result = self.read(PARTY_REGISTRY, "proposals")
        return lambda: int(result()[0])

    def running(self) -> Callable[[], int]:
        """The running time: seconds UTC less all that was paused."""
        result = self.read(PARTY_REGISTRY, "running")
        return lambda: int(result()[0])

    def paused_until(self) -> Callable[[], int]:
        """When the pause ends at the latest, 0 where nothing is paused."""
        result = self.read(PARTY_REGISTRY, "pausedUntil")
        return lambda: int(result()[0])

    def party(self, number: int) -> Callable[[], PartyRecord]:
        """A party by its number; the answer raises NotFound PARTY_UNKNOWN."""
        result = self.read(PARTY_REGISTRY, "partyOf", number)

        def answer() -> PartyRecord:
            (raw,) = result()
            if not raw["status"]:
                raise NotFound("PARTY_UNKNOWN", f"The registry has no party {number}.", where="party", hint=None)
            with self._reading("PartyRegistry.partyOf"):
                status = named(PARTY_STATUSES, raw["status"])
            return PartyRecord(number, raw["id"], status, names_of_roles(raw["roles"]))

        return answer

    def accreditation(self, number: int, scenario: str) -> Callable[[], tuple[int, int]]:
        """From when to when a party may issue under a scenario; (0, 0) if never."""
        result = self.read(PARTY_REGISTRY, "accreditationOf", number, code_of_scenario(scenario))

        def answer() -> tuple[int, int]:
            start, end = result()
            return int(start), int(end)

        return answer

    def head(self, contract: str) -> Callable[[], str]:
        """A contract's own head, 64 hex digits."""
        result = self.read(contract, "head")
        return lambda: str(result()[0])

    def batch_count(self, issuer: int) -> Callable[[], int]:
        """How many batches an issuer's log has."""
        result = self.read(CERTIFICATE_LOG, "batchCount", issuer)
        return lambda: int(result()[0])

    def commitment(self, issuer: int, batch: int) -> Callable[[], str | None]:
        """The anchor commitment of a batch, or None where it is not anchored."""
        result = self.read(CERTIFICATE_LOG, "commitmentOf", issuer, batch)

        def answer() -> str | None:
            word = str(result()[0])
            return word if int(word, 16) else None

        return answer

    def state(self, place: Position) -> Callable[[], str]:
        """``active``, ``suspended`` or ``revoked``, from the status word alone (superseded counts as revoked)."""
        word, bit = divmod(place.index, LEAVES_PER_WORD)
        result = self.read(CERTIFICATE_LOG, "statusWord", place.issuer, place.batch, word)

        def answer() -> str:
            bits = int(result()[0])
            if bits >> (LEAVES_PER_WORD + bit) & 1:
                return "revoked"
            return "suspended" if bits >> bit & 1 else "active"

        return answer

    def status_history(self, place: Position, first: int, last: int) -> Callable[[], list[StatusFact]]:
        """All status changes of a leaf in blocks ``first`` to ``last``, which is the block asked about.

        Each change must change something, and the last is compared with the contract's status word: a node that
        leaves a change out is noticed. The exception is a suspension that is hidden together with its end: only the
        contract's head shows that. The answer raises ChainUnavailable STATUS_HISTORY_INCOMPLETE.
        """
        events = self.log_events("StatusChanged", first, last, issuer=place.issuer, batch=place.batch)
        state = self.state(place)

        def answer() -> list[StatusFact]:
            found = [event for event in events() if _touches(event, place.index)]
            with self._reading("CertificateLog.StatusChanged"):
                history = [_status_change(event) for event in found]
            states = ["active", *("revoked" if each.status == "superseded" else each.status for each in history)]
            if any(earlier == later for earlier, later in pairwise(states)) or states[-1] != state():
                where = f"issuer {place.issuer}, batch {place.batch}, index {place.index}"
                raise incomplete("STATUS_HISTORY_INCOMPLETE", where)
            return history

        return answer

    def hold(self, statement: str) -> Callable[[], Hold]:
        """Who holds a statement, and how often that changed."""
        result = self.read(CERTIFICATE_LOG, "holdOf", statement)

        def answer() -> Hold:
            offices, changes = result()
            return Hold(names_of_offices(offices), changes)

        return answer

    def hold_history(self, statement: str, hold: Hold, first: int, last: int) -> Callable[[], list[HoldFact]]:
        """All changes of a statement's holds in blocks ``first`` to ``last``; ``hold`` is what ``hold`` answered.

        Without a change no event is asked for. The answer raises ChainUnavailable HOLD_HISTORY_INCOMPLETE where the
        events do not lead to ``hold``.
        """
        if not hold.changes:
            return list
        events = self.log_events("Held", first, last, statement=int(statement, 16))

        def answer() -> list[HoldFact]:
            found = events()
            with self._reading("CertificateLog.Held"):
                history = [_hold_change(event) for event in found]
            numbers = [event.args["change"] for event in found]
            # The count is the node's word: it may be more than there is room for.
            whole = len(numbers) == hold.changes and numbers == list(range(1, len(numbers) + 1))
            if not whole or history[-1].offices != hold.offices:
                raise incomplete("HOLD_HISTORY_INCOMPLETE", f"statement {statement}")
            return history

        return answer

    def uses(self, consumer: int, request: str) -> Callable[[], int]:
        """How often a consumer (by number) used what it has under a request."""
        result = self.read(CERTIFICATE_LOG, "usesOf", consumer, request)
        return lambda: int(result()[0])

    def use_history(self, consumer: int, request: str, uses: int, first: int, last: int) -> Callable[[], list[UseFact]]:
        """All uses of a consumer under a request in blocks ``first`` to ``last``; ``uses`` is what ``uses`` answered.

        Without a use no event is asked for. The answer raises ChainUnavailable USE_HISTORY_INCOMPLETE where the events
        do not lead to ``uses``.
        """
        if not uses:
            return list
        events = self.log_events("Used", first, last, consumer=consumer, request=int(request, 16))

        def answer() -> list[UseFact]:
            history = [UseFact(event.args["ordinal"], event.args["at"]) for event in events()]
            if len(history) != uses or [use.ordinal for use in history] != list(range(1, len(history) + 1)):
                raise incomplete("USE_HISTORY_INCOMPLETE", f"consumer {consumer}, request {request}")
            return history

        return answer

    def withdrawn_at(self, party: int, statement: str) -> Callable[[], WithdrawalFact]:
        """When a party (by number) withdrew a statement for its part."""
        result = self.read(CERTIFICATE_LOG, "withdrawnAt", party, statement)
        return lambda: WithdrawalFact(*result())

    def party_no(self, identifier: str) -> Callable[[], int]:
        """A party's number, or 0 where no such party is registered."""
        result = self.read(PARTY_REGISTRY, "partyNoOf", identifier)
        return lambda: int(result()[0])

    def _reading(self, method: str) -> AbstractContextManager[None]:
        return self._client.connection.reading(method)

    def _ask(self, method: str, parameters: list[Any]) -> Callable[[], Any]:
        place = self._places.setdefault(f"{method} {parameters}", len(self._calls))
        if place == len(self._calls):
            self._calls.append((method, parameters))
        return lambda: self._answer(place)

    def _answer(self, place: int) -> Any:
        if place >= len(self._answers):
            self._answers += self._client.connection.ask_many(self._calls[len(self._answers) :])
        return self._answers[place]


def _proposal(number: int, raw: dict[str, Any]) -> ProposalRecord:
    return ProposalRecord(
        no=number,
        act=raw["act"],
        state=ProposalState.numbered(raw["state"]),
        role=raw["role"],
        concerned=raw["concerned"],
        by=raw["by"],
        confirmed_by=raw["confirmedBy"],
        proposer=raw["proposer"],
        confirmer=raw["confirmer"] if raw["confirmedBy"] else "",
        at=raw["at"],
        ready=raw["ready"],
    )


def _touches(event: Event, index: int) -> bool:
    word, bit = divmod(index, LEAVES_PER_WORD)
    return bool(event.args["word"] == word and event.args["mask"] >> bit & 1)


def _status_change(event: Event) -> StatusFact:
    args = event.args
    return StatusFact(named(LEAF_STATUSES, args["status"]), named(REASONS, args["reason"]), args["at"])


def _hold_change(event: Event) -> HoldFact:
    args = event.args
    return HoldFact(names_of_offices(args["offices"]), named(REASONS, args["reason"]), args["at"], args["by"])


def incomplete(code: str, where: str) -> ChainUnavailable:
    """The error that a node gave fewer events than there were."""
    return ChainUnavailable(
        code,
        "The events that the node gave do not lead to the state that the contract shows.",
        where=where,
        hint="The node has lost or hides events: ask another node.",
    )
