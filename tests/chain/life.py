"""A scripted life of the whole ledger: every kind of event that the contracts know, in an order that makes sense."""

from __future__ import annotations

from hashlib import sha256

from ledger.chain import calls
from ledger.chain.accounts import account_of
from ledger.chain.calls import Call, PartyRegistration
from ledger.chain.names import ROLES
from tests.conftest import Chain, test_key

ROOT = sha256(b"root").digest()
FAR = 4_100_000_000
ASSETS = tuple(sha256(f"asset {number}".encode()).hexdigest() for number in range(3))


def account(name: str) -> str:
    """The account of a key that only tests know."""
    return account_of(bytes.fromhex(test_key(name)))


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def live(chain: Chain) -> None:
    """Live it: some thirty transactions, among them each of the 18 kinds of event at least once."""
    live_parties(chain)
    live_certificates(chain)
    live_assets(chain)


def live_parties(chain: Chain) -> None:
    founder, bank = chain.acting("founder"), chain.parties["other_bank"]
    newcomer = PartyRegistration(digest("newcomer"), account("newcomer"), 1 << ROLES.index("subject"))
    founder.register_parties([newcomer])
    number = chain.reader.party_no(newcomer.id)
    lost_at = chain.reader.latest().time
    for call in (
        calls.set_roles(number, 1 << ROLES.index("broker")),
        calls.set_status(number, "suspended", "investigation"),
        calls.set_status(number, "active", "lifted"),
        calls.accredit(chain.parties["issuer"].no, "S52", 0, FAR),
        calls.recover_account(number, newcomer.account, account("newcomer's second"), lost_at),
        calls.recover_account(bank.no, bank.account, account("other bank's second")),
    ):
        founder.send(call)
    chain.node.fund(account("newcomer's second"))
    chain.client.with_account(test_key("newcomer's second")).send(calls.rotate_account(account("newcomer's third")))


def live_certificates(chain: Chain) -> None:
    issuer, bank = chain.client, chain.acting("bank")
    issuer.anchor(0, 300, ROOT)
    issuer.anchor(300, 1, ROOT)
    for call in (
        calls.suspend(0, 3, "investigation"),
        calls.resume(0, 3),
        calls.suspend(0, 130, "court"),
        calls.revoke(0, 130, "fraud"),
        calls.revoke_many(0, [0, 1, 127, 128, 255, 299], "data_error"),
        calls.supersede(0, 5, 1, 0),
    ):
        issuer.send(call)
    bank.record_use(0, 3, 1)
    bank.send(calls.record_uses([(0, 3, 2), (0, 4, 1), (1, 0, 1), (0, 3, 3)]))


def live_assets(chain: Chain) -> None:
    provider, bank, founder = chain.acting("provider"), chain.acting("bank"), chain.acting("founder")
    bank_no = chain.parties["bank"].no
    provider.send(register(*ASSETS))
    chain.acting("registrar").send(calls.confirm_assets(ASSETS[:2], FAR))
    first, second, third = ASSETS
    for client, call in (
        (provider, calls.offer_transfer(first, bank_no, FAR)),
        (bank, calls.reject_transfer(first)),
        (provider, calls.offer_transfer(first, chain.parties["enterprise"].no, FAR)),
        (provider, calls.withdraw_offer(first)),
        (provider, calls.offer_transfer(first, bank_no, FAR)),
        (bank, calls.accept_transfer(first)),
        (founder, calls.set_frozen(second, True, "court")),
        (founder, calls.set_frozen(second, False, "lifted")),
        (founder, calls.set_frozen(third, True, "sanction")),
        (provider, calls.offer_transfer(second, bank_no, FAR)),
    ):
        client.send(call)


def register(*identifiers: str) -> Call:
    """Register assets with made-up content."""
    return calls.register_assets([(each, digest(f"content {each}"), digest(f"print {each}")) for each in identifiers])
