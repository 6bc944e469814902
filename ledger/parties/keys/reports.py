"""Reports of lost or stolen keys: the party itself reports with any of its keys, or an authority reports."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.errors import Forbidden
from ledger.index.follower import Follower
from ledger.parties.custody import Custody
from ledger.parties.keys.settlement import settle_keys
from ledger.parties.known import KnownParty
from ledger.parties.lookups import party, party_no
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.parties.relayed_acts import RelayedActs, account_is_of
from ledger.parties.role_changes import PROTECTED
from ledger.parties.roles import Actor
from ledger.proof.acts import report_message, sign_act
from ledger.store.database import Database


@dataclass(eq=False, repr=False)
class KeyReports:
    """Reports keys on the chain. The contract decides who may report a key."""

    _database: Database
    _client: ChainClient
    _reader: ChainReader
    _follower: Follower
    _relayed: RelayedActs
    _custody: Custody
    _proposals: Proposals

    def report(
        self, actor: Actor, identifier: str, account: str, act: bytes | None = None, signer: str | None = None
    ) -> Proposal | None:
        """Report the key of a party's account as lost or stolen. The report takes effect in its block; a repeated
        report changes nothing.

        The party itself reports with any key that is not retired, even a reported key: ``act`` is the signature of
        ``report_message`` by the key of ``signer`` (by default the present account). If this installation keeps the
        key, it signs here; otherwise the party must have signed the request. For another party, one authority may
        report the key alone. If that party is itself an authority or a supervisor, two authorities must agree, and the
        report takes effect after the waiting period: in this case the proposal is returned.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, or ``PARTY_UNKNOWN_ACCOUNT`` if ``signer`` is not an account of the
        party; ``Conflict`` ``SIGNATURE_REQUIRED``.
        """
        number, record = self._number(identifier), self._reader.account(account)
        proposal = None
        if record is None or record.party_no != number or not record.reported_at:
            if actor.party == identifier:
                self._report_own(actor, number, account, act, signer)
            elif PROTECTED & set(self._reader.party(number).roles):
                proposal = self._proposals.decide(actor.party, calls.report(number, account), actor.signed)
            else:
                self._relayed.act_by(actor, calls.report(number, account))
            # The account's sessions and machine keys become invalid as soon as the index has read this block.
            self._follower.sync()
        self.settle(identifier)
        return proposal

    def report_to_sign(
        self, actor: Actor, identifier: str, reported: str, signer: str | None = None
    ) -> tuple[str, bytes]:
        """Return the account that signs the report of ``reported`` (by default the present account) and the message to
        sign.

        This method is for parties that keep their keys themselves. Raises ``Forbidden`` ``NOT_THE_PARTY``.
        """
        require_the_party(actor, identifier)
        signer = signer or self._account(identifier)
        return signer, report_message(self._reader.chain, signer, reported)

    def settle(self, identifier: str) -> KnownParty:
        """Update the party's keys in the database from the chain, and return the party (see ``settle_keys``)."""
        (settled,) = settle_keys(self._database, self._reader, [identifier])
        return settled

    def _report_own(self, actor: Actor, number: int, account: str, act: bytes | None, signer: str | None) -> None:
        signer = signer or self._account(actor.party)
        if not account_is_of(self._reader, signer, actor.party):
            raise Forbidden(
                "PARTY_UNKNOWN_ACCOUNT",
                "The account that signs the report is not an account of the party.",
                where=signer,
                hint="Sign with a key of this party. Then anybody can send the report: `pingzheng keys send`.",
            )
        if act is None and actor.signed is None and signer in self._custody:
            act = sign_act(report_message(self._reader.chain, signer, account), self._custody.signer(signer))
        if act is None:
            self._relayed.act(signer, calls.report(number, account), actor.signed)
        else:
            self._client.send(calls.report_for(signer, number, account, act))

    def _account(self, identifier: str) -> str:
        with self._database.read() as session:
            return party(session, identifier).account

    def _number(self, identifier: str) -> int:
        with self._database.read() as session:
            return party_no(session, identifier)


def require_the_party(actor: Actor, identifier: str) -> None:
    """Raise ``Forbidden`` ``NOT_THE_PARTY`` if the caller is another party."""
    if actor.party != identifier:
        raise Forbidden(
            "NOT_THE_PARTY",
            "Only the party itself may do this to its keys.",
            hint="Two authorities can recover a lost key.",
        )
