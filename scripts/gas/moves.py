"""Measures the gas of every act of the contracts, in an order in which each act is allowed."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Final

from ledger.chain.accounts import account_of
from ledger.chain.contracts.deployment import ASSET_REGISTRY, CONTRACTS, PARTY_REGISTRY, artifact_of
from ledger.chain.contracts.names import ROLES
from ledger.chain.local.node import LocalNode
from ledger.chain.sending import asset_calls, calls
from ledger.chain.sending.asset_calls import AssetRegistration, Grant
from ledger.chain.sending.calls import Call
from ledger.proof.jws import Es256Signer
from scripts.gas.meter import FAR, PARTIES, Meter, digest, signer_of

# A call that does nothing. An account's first request through the forwarder also creates the account's nonce, which
# costs gas. So each account sends this call first, and the measured requests after it do not contain that cost.
NOTHING: Final = Call(PARTY_REGISTRY, "count", ())


def measure() -> dict[str, int]:
    """Measure all acts on a new local chain; return for each act its gas."""
    with tempfile.TemporaryDirectory() as directory, LocalNode(Path(directory), persistent=False) as node:
        meter = Meter(node)
        for party in PARTIES:
            meter.relay("nothing, first of its account", party, NOTHING)
        meter.relay("nothing", "bank", NOTHING)
        _certificates(meter)
        _statements(meter)
        _assets(meter)
        _parties(meter)
        return meter.found


def sizes() -> dict[str, int]:
    """Return for each contract the size of its runtime code in bytes."""
    return {name: len(artifact_of(name).runtime) for name in CONTRACTS}


def _certificates(meter: Meter) -> None:
    root = digest("root")
    meter.send("anchor, first of its issuer", "issuer", calls.anchor(0, 1, root))
    meter.send("anchor, size 1", "issuer", calls.anchor(1, 1, root))
    for first, size in ((2, 1024), (1026, 8192)):
        gas = meter.send(f"anchor, size {size}", "issuer", calls.anchor(first, size, root))
        meter.found[f"anchor, size {size}, each certificate"] = gas // size
    meter.relay("anchor, size 8192", "issuer", calls.anchor(9218, 8192, root))
    for name, move in (
        ("revoke, first of its word", calls.revoke(2, 0, "fraud")),
        ("revoke, later of its word", calls.revoke(2, 1, "fraud")),
        ("suspend, first of its word", calls.suspend(2, 128, "court")),
        ("suspend, later of its word", calls.suspend(2, 129, "court")),
        ("resume", calls.resume(2, 129)),
        ("resume, last of its word", calls.resume(2, 128)),
        ("supersede, first of its word", calls.supersede(2, 256, 3, 8191)),
        ("supersede, later of its word", calls.supersede(2, 257, 3, 8190)),
    ):
        meter.send(name, "issuer", move)
    meter.relay("revoke, first of its word", "issuer", calls.revoke(2, 384, "fraud"))
    meter.relay("revoke, later of its word", "issuer", calls.revoke(2, 385, "fraud"))
    scattered = random.Random(9162).sample(range(8192), 1000)  # noqa: S311 (the same thousand every time)
    for name, indices in (("in a row", range(1000)), ("of 8192 at random", scattered)):
        batch = 3 if name == "in a row" else 4
        gas = meter.send(f"revoke 1000 {name}", "issuer", calls.revoke_many(batch, indices, "data_error"))
        meter.found[f"revoke 1000 {name}, each"] = gas // 1000


def _statements(meter: Meter) -> None:
    """Measure uses, withdrawals and holds: acts that the contract stores under the digest of a signed statement."""
    request, later = digest("request"), digest("later")
    meter.send("use, first under its request", "bank", calls.record_use(request, 1))
    meter.send("use, later under its request", "bank", calls.record_use(request, 2))
    meter.relay("use, later under its request", "bank", calls.record_use(request, 3))
    first = [(digest(f"request {n}"), 1) for n in range(100)]
    meter.found["use 100 in a list, first, each, signed"] = meter.use_by_signature(first) // 100
    second = [(each, 2) for each, _ in first]
    meter.found["use 100 in a list, later, each, signed"] = meter.use_by_signature(second) // 100
    meter.found["use, later under its request, signed"] = meter.use_by_signature([(request, 4)])
    meter.send("withdraw a statement", "provider", calls.withdraw(request))
    meter.relay("withdraw a statement", "provider", calls.withdraw(later))
    meter.found["withdraw a statement, signed"] = meter.withdraw_by_signature(meter.signer_of("provider"), "k1")
    p256, provider = Es256Signer(bytes.fromhex(digest("P-256 key"))), meter.numbers["provider"]
    further = calls.change_key(provider, p256.kid, proof=meter.proof(p256, provider))
    meter.change_own("a P-256 key of one's own", "provider", further)
    meter.found["withdraw a statement, signed with P-256"] = meter.withdraw_by_signature(p256, "r1")
    meter.send("hold, first of its statement", "authority", calls.hold([request], "court"))
    meter.decide("a lift", calls.lift("authority", [request]), waits=False)
    meter.send("hold, later of its statement", "authority", calls.hold([request], "court"))
    meter.send("hold a certificate and its request", "authority", calls.hold([digest("certificate"), later], "court"))


def _assets(meter: Meter) -> None:
    rows = [AssetRegistration(digest(f"asset {n}"), digest(f"content {n}"), digest(f"print {n}")) for n in range(105)]
    first, second, third = (row.id for row in rows[:3])
    # The first registration costs more than later registrations, because it sets the contract's counter of assets.
    meter.send("register the very first", "provider", _register_one(rows[0]))
    meter.send("register one", "provider", _register_one(rows[1]))
    meter.relay("register one", "provider", _register_one(rows[2]))
    gas = meter.send("register 100", "provider", asset_calls.register_assets(rows[5:]))
    meter.found["register 100, each"] = gas // 100
    for step, stage in (("accept", "accepted"), ("review", "reviewed"), ("notice", "noticed")):
        until = meter.now() + 600 if stage == "noticed" else 0
        meter.send(f"{step} application", "registrar", asset_calls.advance([first], stage, until=until))
        many = [second, third, *(row.id for row in rows[5:])]
        gas = meter.send(None, "registrar", asset_calls.advance(many, stage, until=until))
        meter.found[f"{step} 102 applications, each"] = gas // len(many)
    meter.wait(700)
    meter.send("confirm", "registrar", Call(ASSET_REGISTRY, "confirm", (first, FAR)))
    meter.relay("confirm", "registrar", Call(ASSET_REGISTRY, "confirm", (second, FAR)))
    many = [row.id for row in rows[5:]]
    gas = meter.send("confirm 100", "registrar", asset_calls.confirm_assets([third, *many[1:]], FAR))
    meter.found["confirm 100, each"] = gas // 100
    _transfers(meter, first, second)
    _rights_and_liens(meter, third, many[1])
    _objections(meter, third)
    meter.send("freeze", "authority", asset_calls.set_frozen(many[2], True, "court"))
    meter.send("unfreeze", "authority", asset_calls.set_frozen(many[2], False, "lifted"))
    meter.relay("freeze", "authority", asset_calls.set_frozen(second, True, "court"))
    meter.send("annul", "registrar", asset_calls.annul(many[2], "fraud", digest("grounds")))


def _register_one(row: AssetRegistration) -> Call:
    return Call(ASSET_REGISTRY, "register", (row.id, row.content, row.fingerprint, 0))


def _transfers(meter: Meter, first: str, second: str) -> None:
    bank = meter.numbers["bank"]
    offer, accept = asset_calls.offer_transfer(first, bank, FAR), asset_calls.accept_transfer(first)
    meter.send("offer", "provider", offer)
    meter.send("reject", "bank", asset_calls.reject_transfer(first))
    meter.send(None, "provider", offer)
    meter.send("withdraw", "provider", asset_calls.withdraw_offer(first))
    meter.send(None, "provider", offer)
    meter.send("accept", "bank", accept)
    meter.found["offer + accept"] = meter.found["offer"] + meter.found["accept"]
    meter.relay("offer", "provider", asset_calls.offer_transfer(second, bank, FAR))
    meter.relay("accept", "bank", asset_calls.accept_transfer(second))
    both = meter.found["offer, forwarded"] + meter.found["accept, forwarded"]
    meter.found["offer + accept, forwarded"] = both


def _rights_and_liens(meter: Meter, asset: str, other: str) -> None:
    bank, start = meter.numbers["bank"], meter.now() + 600
    grants = [Grant("operate", bank, start + n, start + n + 1, True, True, True) for n in range(11)]
    meter.send("grant a right", "provider", asset_calls.grant_right(asset, grants[0]))
    for grant in grants[1:-1]:
        meter.send(None, "provider", asset_calls.grant_right(asset, grant))
    meter.send("grant a right beside ten", "provider", asset_calls.grant_right(asset, grants[-1]))
    licence = Grant("operate", meter.numbers["registrar"], start, start + 1, parent=1)
    meter.send("license a right on", "bank", asset_calls.grant_right(asset, licence))
    meter.send("pass a right on", "bank", asset_calls.transfer_right(asset, 2, meter.numbers["registrar"]))
    meter.send("end a right", "bank", asset_calls.end_right(asset, 1))
    meter.send("lien", "provider", asset_calls.pledge(asset, bank, False, digest("terms")))
    meter.send("consent of the creditor", "bank", asset_calls.consent_to_transfer(asset, 0, meter.numbers["registrar"]))
    meter.send("release of a lien", "bank", asset_calls.release(asset, 0))
    meter.relay("lien", "provider", asset_calls.pledge(other, bank, False, digest("terms")))


def _objections(meter: Meter, asset: str) -> None:
    meter.send("object", "bank", asset_calls.object_to(asset, digest("grounds")))
    for state in ("admitted", "verified", "dismissed"):
        meter.send(f"objection {state}", "registrar", asset_calls.decide(asset, 1, state, digest(state)))
    change = digest("changed"), digest("changed print"), "general"
    meter.send("apply for change", "provider", asset_calls.file_application(asset, "change", *change))


def _parties(meter: Meter) -> None:
    issuer, bank, subject = (meter.numbers[name] for name in ("issuer", "bank", "subject"))
    consumer = 1 << ROLES.index("consumer")
    for name, count in (("a registration", 1), ("100 registrations", 100)):
        parties = calls.register_parties([meter.registration(f"{name} {each}") for each in range(count)])
        meter.decide(name, parties, waits=False)
    meter.found["confirm 100 registrations, each"] = meter.found.pop("confirm 100 registrations") // 100
    meter.send("set roles", "authority", calls.set_roles(bank, consumer))
    meter.send("set status", "authority", calls.set_status(bank, "active", "lifted"))
    meter.decide("an accreditation", calls.accredit(issuer, "S51", 0, FAR))
    meter.decide("an office", calls.set_roles(bank, consumer | 1 << ROLES.index("cdo")))
    further, fresh = (signer_of(digest(name)) for name in ("further", "fresh"))
    proof = meter.proof(further, subject)
    meter.change_own("a further key", "subject", calls.change_key(subject, further.kid, proof=proof))
    rotation = calls.change_key(subject, fresh.kid, further.kid, meter.proof(fresh, subject))
    meter.change_own("a rotation", "subject", rotation)
    meter.found["rotate account"] = _sum(meter, "a rotation")
    stopped = calls.change_key(subject, further.kid)
    meter.send("veto", "subject", calls.veto(meter.propose(None, "authority", stopped)))
    meter.found["veto, signed"] = meter.veto_by_signature("subject", meter.propose(None, "authority", stopped))
    meter.send("cancel a proposal", "third officer", calls.cancel(meter.propose(None, "authority", stopped)))
    meter.found["report a key, signed"] = meter.report_by_signature("subject", fresh.kid)
    lost = account_of(bytes.fromhex(digest("gas key subject")))
    meter.send("report a key", "subject", calls.report(subject, lost))
    fresher = signer_of(digest("fresher"))
    meter.decide("a recovery", calls.change_key(subject, fresher.kid, lost, meter.proof(fresher, subject)))
    meter.found["recover account"] = _sum(meter, "a recovery")
    meter.decide("a date of compromise", calls.date_compromise(subject, lost, 1))
    meter.send("pause", "third officer", calls.pause())
    meter.decide("the end of a pause", calls.end_pause(), waits=False)
    _reassignment(meter)


def _reassignment(meter: Meter) -> None:
    """Report all keys of the provider as lost, and let two authorities give one of its assets to another party."""
    provider = meter.numbers["provider"]
    for key in (meter.signer_of("provider").kid, Es256Signer(bytes.fromhex(digest("P-256 key"))).kid):
        meter.send(None, "authority", calls.report(provider, key))
    asset = digest("asset 9")
    meter.decide("a reassignment", asset_calls.reassign(asset, meter.numbers["bank"], digest("grounds")))


def _sum(meter: Meter, name: str) -> int:
    """Record the sum of the gas of all steps of a proposal."""
    return sum(meter.found.get(f"{step} {name}", 0) for step in ("propose", "confirm", "carry out"))
