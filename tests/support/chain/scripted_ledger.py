"""Sends transactions to the contracts, in a plausible order, so that every kind of event happens."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from ledger.chain.accounts import account_of
from ledger.chain.contracts.names import ROLES
from ledger.chain.sending import asset_calls, calls
from ledger.chain.sending.asset_calls import AssetRegistration, Grant
from ledger.chain.sending.calls import Call, PartyRegistration
from ledger.proof.acts import sign_act, uses_message
from ledger.proof.jws import LocalSigner
from tests.support.chain.deployed import NOTICE, Chain, test_key

ROOT = sha256(b"root").digest()
FAR = 4_100_000_000
ASSETS = tuple(sha256(f"asset {number}".encode()).hexdigest() for number in range(3))
SUCCESSOR = sha256(b"successor").hexdigest()
ALL_ASSETS = (*ASSETS, SUCCESSOR)
# Digests of invented statements. The contracts accept them, because a contract never sees the statement itself.
REQUEST, OTHER_REQUEST, CONSENT, OTHER_CONSENT = (
    sha256(name.encode()).hexdigest() for name in ("request", "other request", "consent", "other consent")
)


def account(name: str) -> str:
    """Return the account of a test key."""
    return account_of(bytes.fromhex(test_key(name)))


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def live(chain: Chain) -> None:
    """Send about ninety transactions, with every kind of event at least once."""
    live_parties(chain)
    live_certificates(chain)
    live_assets(chain)


def live_parties(chain: Chain) -> None:
    founder, bank, issuer = chain.acting("founder"), chain.parties["other_bank"], chain.parties["issuer"]
    newcomer = newcomer_to(chain, "newcomer", "subject")
    chain.decide(calls.register_parties([newcomer]))
    number = chain.reader.party_no(newcomer.id)
    lost_at = chain.reader.latest().time
    for call in (
        calls.set_roles(number, 1 << ROLES.index("broker")),
        calls.set_status(number, "suspended", "investigation"),
        calls.set_status(number, "active", "lifted"),
        calls.report(number, account("newcomer")),
    ):
        founder.send(call)
    second, further = account("newcomer's second"), account("issuer's second")
    for call in (
        calls.accredit(issuer.no, "S52", 0, FAR),
        calls.change_key(number, second, account("newcomer"), chain.proof(test_key("newcomer's second"), number)),
        calls.change_key(bank.no, account("other bank's second"), bank.account),
        calls.date_compromise(number, account("newcomer"), lost_at),
        calls.date_compromise(number, second, lost_at),
    ):
        chain.decide(call)
    proof = chain.proof(test_key("issuer's second"), issuer.no)
    chain.decide(calls.change_key(issuer.no, further, proof=proof), "issuer", None)
    chain.decide(calls.change_key(issuer.no, old=further), "issuer", None)
    live_proposals(chain)


def live_proposals(chain: Chain) -> None:
    """Cancel one proposal, veto another, leave a third undecided, and end a pause."""
    founder, bank = chain.acting("founder"), chain.parties["bank"]
    founder.send(calls.cancel(chain.propose(calls.accredit(bank.no, "S53", 0, FAR))))
    chain.acting("bank").send(calls.veto(chain.propose(calls.change_key(bank.no, account("nobody's")))))
    chain.propose(calls.set_roles(bank.no, 1 << ROLES.index("cdo")))
    chain.acting("supervisor").send(calls.pause())
    chain.decide(calls.end_pause())


def newcomer_to(chain: Chain, name: str, *roles: str) -> PartyRegistration:
    """Return a party to register, with the party's own proof that it possesses its key."""
    keys = ((account(name), chain.proof(test_key(name))),)
    return PartyRegistration(digest(name), keys, sum(1 << ROLES.index(role) for role in roles))


def live_certificates(chain: Chain) -> None:
    issuer, bank = chain.client, chain.acting("bank")
    issuer.send(calls.anchor(0, 300, ROOT))
    issuer.send(calls.anchor(300, 1, ROOT))
    # A second issuer anchors entries with the same sequence numbers as the first issuer, in its own log.
    chain.acting("other_issuer").send(calls.anchor(0, 2, ROOT))
    for call in (
        calls.suspend(0, 3, "investigation"),
        calls.resume(0, 3),
        calls.suspend(0, 130, "court"),
        calls.revoke(0, 130, "fraud"),
        calls.revoke_many(0, [0, 1, 127, 128, 255, 299], "data_error"),
        calls.supersede(0, 5, 1, 0),
    ):
        issuer.send(call)
    chain.acting("other_issuer").send(calls.suspend(0, 1, "data_error"))
    bank.send(calls.record_use(REQUEST, 1))
    bank.send(signed_uses(chain, "bank", [(REQUEST, 2), (OTHER_REQUEST, 1), (REQUEST, 3)]))
    for name, statement in (("enterprise", CONSENT), ("enterprise", OTHER_CONSENT), ("provider", CONSENT)):
        chain.acting(name).send(calls.withdraw(statement))
    chain.acting("founder").send(calls.hold([CONSENT, REQUEST], "court"))
    chain.acting("supervisor").send(calls.hold([CONSENT], "investigation"))
    chain.decide(calls.lift("authority", [CONSENT]))
    # One party reports its key as lost. It withdraws with this key before and after the report.
    name, party = "other_supervisor", chain.parties["other_supervisor"]
    chain.acting(name).send(calls.withdraw(CONSENT))
    chain.acting(name).send(calls.report(party.no, party.account))
    for statement in (CONSENT, OTHER_CONSENT):
        chain.acting(name).send(calls.withdraw(statement))


def signed_uses(chain: Chain, name: str, uses: Sequence[tuple[str, int]], deadline: int = FAR) -> Call:
    """Return the call that records uses signed by the party. Any account can send this call."""
    party = chain.parties[name]
    signer = LocalSigner(bytes.fromhex(party.key), party.account)
    message = uses_message(chain.deployment.chain, party.account, deadline, uses)
    return calls.record_uses_for(party.account, uses, deadline, sign_act(message, signer))


def live_assets(chain: Chain) -> None:
    """Register and change three assets and a successor.

    The first asset is changed, licensed, pledged, transferred, objected to and annulled. The second asset is frozen,
    corrected and replaced by the asset ``SUCCESSOR``. The third asset is derived from the second; its application is
    returned, submitted again and rejected. At the end the provider is closed, and two officers reassign ``SUCCESSOR``
    to the bank.
    """
    register_confirmed(chain, *ASSETS[:2])
    _change(chain)
    _right_and_lien(chain)
    _transfer(chain)
    _second_and_third(chain)
    _objection(chain)
    _silent_holder(chain)


def register_confirmed(chain: Chain, *assets: str) -> None:
    """Register assets of the provider, and take them through review, public notice and confirmation."""
    chain.acting("provider").send(register(*assets))
    confirm(chain, *assets, valid_to=FAR)


def confirm(chain: Chain, *assets: str, valid_to: int = 0) -> None:
    """Take applications through review and public notice, wait until the public notice ends, and confirm the
    applications.
    """
    registrar = chain.acting("registrar")
    until = chain.reader.latest().time + NOTICE + 60
    for call in (
        asset_calls.advance(assets, "accepted"),
        asset_calls.advance(assets, "reviewed"),
        asset_calls.advance(assets, "noticed", until=until),
    ):
        registrar.send(call)
    chain.node.advance(until + 1 - chain.reader.latest().time)
    registrar.send(asset_calls.confirm_assets(assets, valid_to))


def _change(chain: Chain) -> None:
    fresh = digest("changed content"), digest("changed print")
    chain.acting("provider").send(asset_calls.file_application(ASSETS[0], "change", *fresh, "important"))
    chain.acting("founder").send(asset_calls.clear(ASSETS[0], digest("security review")))
    confirm(chain, ASSETS[0])


def _right_and_lien(chain: Chain) -> None:
    provider, bank, assessor = chain.acting("provider"), chain.acting("bank"), chain.acting("assessor")
    no = {name: party.no for name, party in chain.parties.items()}
    start = chain.reader.latest().time + 30
    operate = Grant("operate", no["bank"], start, start + 10_000, sublicensable=True, transferable=True)
    licence = Grant("operate", no["enterprise"], start, start + 500, parent=1, scope=digest("scope"))
    provider.send(asset_calls.grant_right(ASSETS[0], operate))
    bank.send(asset_calls.grant_right(ASSETS[0], licence))
    chain.acting("enterprise").send(asset_calls.end_right(ASSETS[0], 2))
    bank.send(asset_calls.transfer_right(ASSETS[0], 1, no["assessor"]))
    chain.acting("registrar").send(asset_calls.end_right(ASSETS[0], 1, digest("for cause")))
    provider.send(asset_calls.pledge(ASSETS[0], no["enterprise"], False, digest("terms")))
    provider.send(asset_calls.pledge(ASSETS[0], no["assessor"], False, digest("terms of the second")))
    assessor.send(asset_calls.release(ASSETS[0], 1))
    chain.acting("enterprise").send(asset_calls.consent_to_transfer(ASSETS[0], 0, no["bank"]))


def _transfer(chain: Chain) -> None:
    provider, bank = chain.acting("provider"), chain.acting("bank")
    offer = asset_calls.offer_transfer(ASSETS[0], chain.parties["bank"].no, FAR)
    for client, call in (
        (provider, offer),
        (bank, asset_calls.reject_transfer(ASSETS[0])),
        (provider, offer),
        (provider, asset_calls.withdraw_offer(ASSETS[0])),
        (provider, offer),
        (bank, asset_calls.accept_transfer(ASSETS[0])),
    ):
        client.send(call)


def _second_and_third(chain: Chain) -> None:
    provider, registrar, founder = chain.acting("provider"), chain.acting("registrar"), chain.acting("founder")
    _, second, third = ASSETS
    assessor = chain.parties["assessor"]
    chain.decide(calls.accredit(assessor.no, "quality", 0, FAR))
    correction = digest("corrected content"), asset_calls.NOTHING, "general"
    for client, call in (
        (provider, register(third)),
        (provider, asset_calls.link(third, "derived_from", second)),
        (registrar, asset_calls.advance([third], "returned", grounds=digest("what is missing"))),
        (provider, asset_calls.file_application(third, "first", digest("mended"), asset_calls.NOTHING, "general")),
        (registrar, asset_calls.advance([third], "accepted")),
        (registrar, asset_calls.reject(third, digest("not lawful"))),
        (provider, asset_calls.file_application(second, "correct", *correction)),
        (registrar, asset_calls.advance([second], "accepted")),
        (registrar, asset_calls.advance([second], "reviewed")),
        (registrar, asset_calls.confirm_assets([second], 0)),
        (founder, asset_calls.set_frozen(second, True, "court")),
        (founder, asset_calls.set_frozen(second, False, "lifted")),
        (chain.acting("assessor"), asset_calls.assess(second, "quality", digest("quality report"), FAR)),
    ):
        client.send(call)
    register_confirmed(chain, SUCCESSOR)
    provider.send(asset_calls.replace(second, SUCCESSOR))


def _objection(chain: Chain) -> None:
    registrar = chain.acting("registrar")
    chain.acting("enterprise").send(asset_calls.object_to(ASSETS[0], digest("grounds")))
    for state in ("admitted", "verified", "upheld"):
        registrar.send(asset_calls.decide(ASSETS[0], 1, state, digest(state)))
    registrar.send(asset_calls.annul(ASSETS[0], "fraud", digest("annulled because")))


def _silent_holder(chain: Chain) -> None:
    """Close the provider, and let two officers reassign its asset ``SUCCESSOR`` to the bank."""
    chain.decide(calls.set_status(chain.parties["provider"].no, "closed", "none"))
    chain.decide(asset_calls.reassign(SUCCESSOR, chain.parties["bank"].no, digest("inheritance")))


def register(*identifiers: str) -> Call:
    """Register assets with made-up content."""
    return asset_calls.register_assets(
        [AssetRegistration(each, digest(f"content {each}"), digest(f"print {each}")) for each in identifiers]
    )
