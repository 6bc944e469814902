"""Questions to the contracts as of one block, collected first and sent together.

Asking gives a function that tells the answer; the first answer that is looked at sends everything asked until then in
one request. So what does not depend on another answer costs one turn to the node, however much it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import pairwise
from typing import Any, Final

from ledger.chain.client import ChainClient
from ledger.chain.connection import call_parameters, log_query
from ledger.chain.contracts import Event
from ledger.chain.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, PARTY_REGISTRY, interface_of
from ledger.chain.names import LEAF_STATUSES, PARTY_STATUSES, code_of_scenario, names_of_roles
from ledger.chain.records import AccountRecord, PartyRecord, StatusChange, Use, Withdrawal
from ledger.domain.reasons import REASONS
from ledger.errors import ChainUnavailable, NotFound

LOG_RANGE_BLOCKS: Final = 5_000
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
        told = self._ask("eth_call", call_parameters(address, face.encode_call(function, args), self._block))
        return lambda: face.decode_result(function, bytes.fromhex(told().removeprefix("0x")))

    def log_events(self, name: str, first: int, last: int, **indexed: int) -> Callable[[], list[Event]]:
        """Events of the certificate log in blocks ``first`` to ``last``, both included, in order."""
        return self._events(CERTIFICATE_LOG, name, first, last, **indexed)

    def asset_events(self, name: str, asset: str, first: int, last: int) -> Callable[[], list[Event]]:
        """Events of one asset in blocks ``first`` to ``last``, both included, in order."""
        return self._events(ASSET_REGISTRY, name, first, last, id=int(asset, 16))

    def _events(self, contract: str, name: str, first: int, last: int, **indexed: int) -> Callable[[], list[Event]]:
        topics = interface_of(contract).topics(name, **indexed)
        address = self._client.address_of(contract)
        told = [self._ask("eth_getLogs", [log_query([address], *ends, topics)]) for ends in ranges(first, last)]
        return lambda: self._client.decoder.decode(log for each in told for log in each())

    def account(self, account: str) -> Callable[[], AccountRecord | None]:
        """An account that is or was bound to a party, else None."""
        told = self.read(PARTY_REGISTRY, "accountOf", account)

        def answer() -> AccountRecord | None:
            (raw,) = told()
            if not raw["no"]:
                return None
            return AccountRecord(account.lower(), raw["no"], raw["validFrom"], raw["validTo"], raw["compromisedAt"])

        return answer

    def party(self, number: int) -> Callable[[], PartyRecord]:
        """A party by its number; the answer raises NotFound PARTY_UNKNOWN."""
        told = self.read(PARTY_REGISTRY, "partyOf", number)

        def answer() -> PartyRecord:
            (raw,) = told()
            if not raw["status"]:
                raise NotFound("PARTY_UNKNOWN", f"The registry has no party {number}.", where="party", hint=None)
            return PartyRecord(number, raw["id"], PARTY_STATUSES[raw["status"]], names_of_roles(raw["roles"]))

        return answer

    def accreditation(self, number: int, scenario: str) -> Callable[[], tuple[int, int]]:
        """From when to when a party may issue under a scenario; (0, 0) if never."""
        told = self.read(PARTY_REGISTRY, "accreditationOf", number, code_of_scenario(scenario))

        def answer() -> tuple[int, int]:
            start, end = told()
            return int(start), int(end)

        return answer

    def commitment(self, batch: int) -> Callable[[], str | None]:
        """The anchor commitment of a batch, or None where it is not anchored."""
        told = self.read(CERTIFICATE_LOG, "commitmentOf", batch)

        def answer() -> str | None:
            word = str(told()[0])
            return word if int(word, 16) else None

        return answer

    def state(self, batch: int, index: int) -> Callable[[], str]:
        """``active``, ``suspended`` or ``revoked``, from the status word alone (superseded counts as revoked)."""
        told = self.read(CERTIFICATE_LOG, "statusWord", batch, index // LEAVES_PER_WORD)

        def answer() -> str:
            word, bit = int(told()[0]), index % LEAVES_PER_WORD
            if word >> (LEAVES_PER_WORD + bit) & 1:
                return "revoked"
            return "suspended" if word >> bit & 1 else "active"

        return answer

    def status_history(self, batch: int, index: int, first: int, last: int) -> Callable[[], list[StatusChange]]:
        """All status changes of a leaf in blocks ``first`` to ``last``, which is the block asked about.

        Each change must change something, and the last is compared with the contract's status word: a node that
        leaves one out is noticed, but for a suspension hidden with its end, which only the contract's head tells of.
        The answer raises ChainUnavailable STATUS_HISTORY_INCOMPLETE then.
        """
        changes, state = self.log_events("StatusChanged", first, last, batch=batch), self.state(batch, index)

        def answer() -> list[StatusChange]:
            history = [_change(event) for event in changes() if _touches(event, index)]
            states = ["active", *("revoked" if each.status == "superseded" else each.status for each in history)]
            if any(earlier == later for earlier, later in pairwise(states)) or states[-1] != state():
                raise incomplete("STATUS_HISTORY_INCOMPLETE", f"batch {batch}, index {index}")
            return history

        return answer

    def uses(self, batch: int, index: int) -> Callable[[], int]:
        """How often a leaf was used."""
        told = self.read(CERTIFICATE_LOG, "usesOf", batch, index)
        return lambda: int(told()[0])

    def use_history(self, batch: int, index: int, first: int, last: int) -> Callable[[], list[Use]]:
        """All uses of a leaf, compared with its counter; the answer raises USE_HISTORY_INCOMPLETE.

        A leaf that was never used has no history to ask for: the events of its whole batch stay where they are.
        """
        used = self.uses(batch, index)

        def answer() -> list[Use]:
            if not used():
                return []
            events = self.log_events("Used", first, last, batch=batch)()
            history = [Use(event.args["uses"], event.args["at"]) for event in events if event.args["index"] == index]
            if [use.ordinal for use in history] != list(range(1, used() + 1)):
                raise incomplete("USE_HISTORY_INCOMPLETE", f"batch {batch}, index {index}")
            return history

        return answer

    def party_no(self, identifier: str) -> Callable[[], int]:
        """A party's number, or 0 where no such party is registered."""
        told = self.read(PARTY_REGISTRY, "partyNoOf", identifier)
        return lambda: int(told()[0])

    def withdrawn_by(self, batch: int, index: int, party_no: int) -> Callable[[], bool]:
        """Whether a party withdrew a leaf for its part."""
        told = self.read(CERTIFICATE_LOG, "withdrawnBy", party_no, batch, index)
        return lambda: bool(told()[0])

    def withdrawal_history(
        self, batch: int, index: int, first: int, last: int, parties: Collection[int]
    ) -> Callable[[], list[Withdrawal]]:
        """What ``parties`` (numbers) withdrew of a leaf in blocks ``first`` to ``last``, in order.

        The contract says who of them did, and a node that leaves it out is noticed: the answer raises ChainUnavailable
        WITHDRAWAL_HISTORY_INCOMPLETE then. Where none of them did, no event is asked for: any party may withdraw any
        leaf for its part, and what strangers withdrew, however much, costs nobody's verification anything.
        """
        stored = {no: self.withdrawn_by(batch, index, no) for no in parties}

        def answer() -> list[Withdrawal]:
            withdrew = {no for no, says in stored.items() if says()}
            if not withdrew:
                return []
            events = self.log_events("Withdrawn", first, last, batch=batch)()
            found = [event.args for event in events if event.args["index"] == index and event.args["by"] in withdrew]
            if sorted(args["by"] for args in found) != sorted(withdrew):
                raise incomplete("WITHDRAWAL_HISTORY_INCOMPLETE", f"batch {batch}, index {index}")
            return [Withdrawal(args["by"], args["at"]) for args in found]

        return answer

    def _ask(self, method: str, parameters: list[Any]) -> Callable[[], Any]:
        place = self._places.setdefault(f"{method} {parameters}", len(self._calls))
        if place == len(self._calls):
            self._calls.append((method, parameters))
        return lambda: self._answer(place)

    def _answer(self, place: int) -> Any:
        if place >= len(self._answers):
            self._answers += self._client.connection.ask_many(self._calls[len(self._answers) :])
        return self._answers[place]


def ranges(first: int, last: int) -> Iterable[tuple[int, int]]:
    """Blocks ``first`` to ``last`` in pieces that a node takes in one question."""
    for start in range(first, last + 1, LOG_RANGE_BLOCKS):
        yield start, min(start + LOG_RANGE_BLOCKS - 1, last)


def _touches(event: Event, index: int) -> bool:
    word, bit = divmod(index, LEAVES_PER_WORD)
    return bool(event.args["word"] == word and event.args["mask"] >> bit & 1)


def _change(event: Event) -> StatusChange:
    args = event.args
    return StatusChange(LEAF_STATUSES[args["status"]], REASONS[args["reason"]], args["at"], args["by"])


def incomplete(code: str, where: str) -> ChainUnavailable:
    """The error that a node tells less than happened."""
    return ChainUnavailable(
        code,
        "The events that the node gave do not lead to the state that the contract shows.",
        where=where,
        hint="The node has lost or hides events: ask another node.",
    )
