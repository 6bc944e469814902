"""Methods that read the party registry in batched requests: parties, accounts, proposals and the pause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.chain.contracts.deployment import PARTY_REGISTRY
from ledger.chain.contracts.names import PARTY_STATUSES, code_of_scenario, names_of_roles
from ledger.chain.reading.batched_calls import BatchedCalls
from ledger.chain.reading.contract_state import AccountRecord, PartyRecord, ProposalRecord
from ledger.chain.rpc.answers import named
from ledger.domain.powers import ProposalState
from ledger.errors import NotFound


class PartyReads(BatchedCalls):
    """The reads of ``BatchedReads`` that concern parties. Parties and proposals are given by their numbers."""

    def party_no(self, identifier: str) -> Callable[[], int]:
        """Read the number of the party with this id, or 0 if no such party is registered."""
        return self.number(PARTY_REGISTRY, "partyNoOf", identifier)

    def party(self, number: int) -> Callable[[], PartyRecord]:
        """Read the party with this number; the answer raises NotFound PARTY_UNKNOWN."""
        result = self.read(PARTY_REGISTRY, "partyOf", number)

        def answer() -> PartyRecord:
            (raw,) = result()
            if not raw["status"]:
                raise NotFound("PARTY_UNKNOWN", f"The registry has no party {number}.", where="party", hint=None)
            with self._reading("PartyRegistry.partyOf"):
                status = named(PARTY_STATUSES, raw["status"])
            return PartyRecord(number, raw["id"], status, names_of_roles(raw["roles"]))

        return answer

    def account(self, account: str) -> Callable[[], AccountRecord | None]:
        """Read an account that is or was bound to a party, or None for any other account."""
        result = self.read(PARTY_REGISTRY, "accountOf", account)

        def answer() -> AccountRecord | None:
            (raw,) = result()
            return _account(account, raw) if raw["no"] else None

        return answer

    def accreditation(self, number: int, scenario: str) -> Callable[[], tuple[int, int]]:
        """Read when a party's accreditation for a scenario begins, and the first second after it; (0, 0) if there is
        none.
        """
        result = self.read(PARTY_REGISTRY, "accreditationOf", number, code_of_scenario(scenario))

        def answer() -> tuple[int, int]:
            start, end = result()
            return int(start), int(end)

        return answer

    def proposal(self, number: int) -> Callable[[], ProposalRecord]:
        """Read the proposal with this number (from 1); the answer raises NotFound PROPOSAL_UNKNOWN."""
        result = self.read(PARTY_REGISTRY, "proposalOf", number)

        def answer() -> ProposalRecord:
            (raw,) = result()
            if not raw["state"]:
                raise NotFound("PROPOSAL_UNKNOWN", f"There is no proposal {number}.", where="proposal", hint=None)
            with self._reading("PartyRegistry.proposalOf"):
                return _proposal(number, raw)

        return answer

    def proposal_count(self) -> Callable[[], int]:
        """Read how many proposals were ever made; their numbers are 1 to this count."""
        return self.number(PARTY_REGISTRY, "proposals")

    def running(self) -> Callable[[], int]:
        """Read the running time as of the block: the block's time in seconds UTC minus all paused seconds."""
        return self.number(PARTY_REGISTRY, "running")

    def paused_until(self) -> Callable[[], int]:
        """Read until when the ledger is paused at the latest (seconds UTC), or 0 if it is not paused."""
        return self.number(PARTY_REGISTRY, "pausedUntil")


def _account(account: str, raw: dict[str, Any]) -> AccountRecord:
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
        at=raw["at"],
        ready=raw["ready"],
    )
