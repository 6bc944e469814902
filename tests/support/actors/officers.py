"""A ledger with a real waiting period, on which officers and thieves send their acts directly to the chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call, PartyRegistration
from ledger.chain.sending.sender import Receipt
from ledger.connectors.answers import Supplied
from ledger.demo.data.cast import assemble
from ledger.domain.days import DAY
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import DEFAULT_DELAY
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from ledger.parties.tables import PartyKey
from ledger.proof.acts import prove_key, report_message, sign_act, veto_message
from ledger.proof.jws import LocalSigner, Signer, public_jwk, sign_entry
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from tests.support.actors.credit_bureau import AS_OF, FIELDS, SCENARIO
from tests.support.actors.pilots import ROWS, Pilot

FOUNDING_AUTHORITIES = (1, 3, 4)


@dataclass(frozen=True)
class Officers:
    """The party ids of the three authorities and the two supervisors."""

    first: str
    second: str
    third: str
    supervisor: str
    other_supervisor: str


class Powers:
    """Acts of parties that send their own transactions, without the service."""

    def __init__(self, pilot: Pilot, officers: Officers) -> None:
        self.pilot, self.ledger, self.actors, self.cast = pilot, pilot.ledger, pilot.actors, pilot.cast
        self.officers = officers

    def no(self, party: str) -> int:
        return self.ledger.reader.party_no(party)

    def account(self, party: str) -> str:
        """Return the party's present account in the service's database."""
        return self.ledger.parties.register.get(party).account

    def key(self) -> Signer:
        """Return the signer of a new key that is not bound to any party."""
        secret = new_private_key()
        self.ledger.custody.keep(secret)
        return LocalSigner(secret, account_of(secret))

    def send(self, account: str, call: Call) -> Receipt:
        """Send a transaction from the account, after giving it money for gas."""
        self.pilot.fund(account)
        return self.ledger.client.with_account(self.ledger.custody.private_key(account).hex()).send(call)

    def act(self, party: str, call: Call) -> Receipt:
        return self.send(self.account(party), call)

    def propose(self, account: str, call: Call) -> int:
        """Propose a call from the account, and return the proposal's number."""
        (event,) = self.send(account, calls.propose(call)).named("Proposed")
        return int(event.args["no"])

    def decided(self, call: Call) -> int:
        """Propose the call as the first officer and confirm it as the second officer; return the number of the
        proposal, which then waits.
        """
        number = self.propose(self.account(self.officers.first), call)
        self.act(self.officers.second, calls.confirm(number, call))
        return number

    def carry_out(self, number: int, call: Call) -> Receipt:
        """Carry out a proposal. Any account may do this; here the account of a firm does it."""
        return self.act(self.cast.firms["1"], calls.carry_out(number, call))

    def later(self) -> None:
        """Move the clock by a few seconds, so that the next act is later than every anchored batch."""
        self.pilot.skip(5)

    def pass_delay(self) -> None:
        self.pilot.skip(DEFAULT_DELAY + 1)

    def change_of_key(self, party: str, fresh: Signer | None, old: str = calls.NO_ACCOUNT) -> Call:
        """Return the call that binds ``fresh`` to the party and retires ``old``."""
        if fresh is None:
            return calls.change_key(self.no(party), old=old)
        proof = prove_key(self.ledger.reader.chain, fresh, self.no(party))
        return calls.change_key(self.no(party), fresh.kid, old, proof)

    def further_key(self, party: str) -> Signer:
        """Let the party bind a second key to itself, and return the key's signer. The public key is also
        stored in the service's database.
        """
        fresh = self.key()
        with self.ledger.database.write() as session:
            session.add(PartyKey(account=fresh.kid, party_id=party, public_key=fresh.public_key))
        call = self.change_of_key(party, fresh)
        number = self.propose(self.account(party), call)
        self.pass_delay()
        self.carry_out(number, call)
        return fresh

    def veto_by(self, signer: Signer, number: int) -> Call:
        """Return the call that vetoes proposal ``number``, signed with the key of ``signer``. Any account can send this
        call.
        """
        return calls.veto_for(
            signer.kid, number, sign_act(veto_message(self.ledger.reader.chain, signer.kid, number), signer)
        )

    def report_by(self, signer: Signer, party: str, account: str) -> Call:
        """Return the call that reports ``account``, signed with a key of the party; any account can send it."""
        message = report_message(self.ledger.reader.chain, signer.kid, account)
        return calls.report_for(signer.kid, self.no(party), account, sign_act(message, signer))

    def registration(self, identifier: str, *signers: Signer, roles: int = 1) -> Call:
        """Return the call that registers one new party with these keys."""
        chain = self.ledger.reader.chain
        keys = tuple((signer.kid, prove_key(chain, signer)) for signer in signers)
        return calls.register_parties([PartyRegistration(identifier, keys, roles)])

    def state(self, number: int) -> str:
        return str(self.ledger.reader.proposal(number).state)

    def binds(self, account: str) -> bool:
        """Return whether the account is bound to a party on the chain."""
        return self.ledger.reader.account(account) is not None

    def certified_by(self, firm: str, signer: Signer) -> Report:
        """Issue a certificate that is based on a consent which ``signer`` signs in the firm's name; return the bank's
        report.

        The platform helps ``signer``: it treats the key as the firm's key, whatever the chain says.
        """
        with self.ledger.database.write() as session:
            row = PartyKey(account=signer.kid, party_id=self.cast.firms[firm], public_key=signer.public_key)
            row.bound_at = self.ledger.clock()
            session.merge(row)
        (asked,) = self.actors.ask([self.actors.request(firm)])
        (draft,) = self.ledger.usage.authorizations.draft(asked)
        holder = {"holder_key": public_jwk(signer.public_key).to_dict()}
        (given,) = self.ledger.usage.authorizations.submit([sign_entry(draft.entry | holder, signer)])
        self.actors.answer({given.id: Supplied(ROWS, AS_OF, self.ledger.clock())})
        (issued,) = self.actors.certify([asked])
        self.ledger.anchoring.flush()
        return self.judged(issued.certificate_no, signer)

    def judged(self, number: str, signer: Signer) -> Report:
        """Let ``signer`` sign a presentation of the certificate, and return the bank's report on this presentation."""
        nonce, now = self.ledger.verification.new_nonce(), self.ledger.clock()
        bundle = self.ledger.certificates.bundles.present(number, FIELDS, self.cast.bank, nonce, signer, now)
        expect = Expectation(consumer=self.cast.bank, nonce=nonce)
        return self.ledger.verification.verify(bundle.to_bytes(), expect).report


@contextmanager
def founded(home: Path, firms: int = 60) -> Iterator[Powers]:
    """Create a ledger with a waiting period of 72 hours. Let 72 hours pass, so that the official roles take effect."""
    with create_ledger(Settings(home=home, delay=DEFAULT_DELAY)) as ledger:
        cast = assemble(ledger, [str(number) for number in range(1, firms + 1)])
        pilot = Pilot(ledger, cast)
        other = pilot.party(PartyKind.SUPERVISOR, Role.SUPERVISOR)
        now = ledger.clock()
        codes = (SCENARIO, REGISTRATION_SCENARIO)
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, codes, now - DAY, now + 10**9
        )
        pilot.skip(DEFAULT_DELAY + 1)
        ledger.proposals.tick()
        first, second, third = (ledger.reader.party_id(number) for number in FOUNDING_AUTHORITIES)
        yield Powers(pilot, Officers(first, second, third, cast.supervisor, other))
