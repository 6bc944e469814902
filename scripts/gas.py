"""Measure what the contracts cost, on a local node, and write it beside the limits.

Examples:
    python scripts/gas.py           write contracts/gas.json and contracts/size.json
    python scripts/gas.py --print   write nothing
"""

from __future__ import annotations

import json
import random
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger.chain import asset_calls, calls
from ledger.chain.accounts import account_of
from ledger.chain.asset_calls import AssetRegistration, Grant
from ledger.chain.calls import Call, PartyRegistration
from ledger.chain.client import ChainClient
from ledger.chain.connection import Connection
from ledger.chain.deploy import deploy
from ledger.chain.deployment import ASSET_REGISTRY, CONTRACTS, PARTY_REGISTRY, artifact_of
from ledger.chain.names import ROLES
from ledger.chain.node import LocalNode
from ledger.chain.reader import ChainReader
from ledger.chain.relay import Relay, sign_request
from ledger.cli.output import errors_explained
from ledger.proof.acts import sign_act, uses_message, withdrawals_message
from ledger.proof.jws import Es256Signer, LocalSigner, Signer

PROJECT = Path(__file__).resolve().parent.parent
GAS_FILE: Final = PROJECT / "contracts" / "gas.json"
SIZE_FILE: Final = PROJECT / "contracts" / "size.json"
MAX_RUNTIME_BYTES: Final = 24_576
LIMITS: Final = {
    "anchor, size 1": 75_000,
    "anchor, size 8192": 75_000,
    "revoke, first of its word": 60_000,
    "revoke, later of its word": 45_000,
    "revoke 1000 in a row, each": 3_000,
    "revoke 1000 of 8192 at random, each": 3_000,
    "register one": 120_000,
    "register 100, each": 120_000,
    "offer + accept": 95_000,
    "freeze": 45_000,
    "lien": 75_000,
    "recover account": 90_000,
}
# Above its limit on purpose: what the difference buys. See docs/adr/0003-what-a-revocation-buys.md.
WHY: Final = {
    "revoke, first of its word": "the running head, the party registry and the check that the batch exists: ADR 3",
    "revoke, later of its word": "the running head, the party registry and the check that the batch exists: ADR 3",
}
# What a rise over the committed figure buys; the first prefix that fits. See docs/adr/0009-keyed-by-what-was-signed.md.
_OWN_LOG = "each issuer has its own log, and each event names its issuer: nobody else can anchor or revoke there"
_DISPATCH = "the registries answer more questions (origin, signedBy), and look an act up among more functions"
RISES: Final = {
    "deploy Forwarder": "the origin of the ledger, after which the signing domain is named",
    "deploy PartyRegistry": "signatures of secp256k1 and P-256 keys, checked on the chain; the origin",
    "deploy AssetRegistry": "the origin, in the first head of every asset",
    "deploy CertificateLog": "a log for each issuer, holds of offices, uses and withdrawals by signature",
    "deploy all": "origin, own logs, holds, acts by signature",
    "anchor, first": "a slot for the log of this issuer alone, once; " + _OWN_LOG,
    "anchor": _OWN_LOG,
    "revoke": _OWN_LOG,
    "suspend": _OWN_LOG,
    "resume": _OWN_LOG,
    "supersede": _OWN_LOG,
    "use 100": "each consumer has its own counter for each request, a slot each: nobody else can spend its uses",
    "use": "others may pay: the contract checks the consumer's signature",
    "withdraw a statement, signed with P-256": "keys of phones and browsers; P-256 is computed in Solidity here",
    "withdraw a statement, signed": "others may pay: the contract checks the party's signature",
    "withdraw a statement": "each statement has its own slot with the time: no second anchor undoes a withdrawal",
    "register the very": "the origin, in the first head of the asset",
    "register one": "the origin, in the first head of the asset",
    "register 100": "the origin, in the first head of the asset",
}
# Anything else may rise by this much, for the reason `_DISPATCH`.
DISPATCH_GAS: Final = 200
PARTIES: Final = {
    "authority": "authority",
    "issuer": "issuer",
    "provider": "provider",
    "registrar": "registrar",
    "bank": "consumer",
}
# A call that does nothing: an account's first request through the forwarder sets its nonce, which costs more.
NOTHING: Final = Call(PARTY_REGISTRY, "count", ())
FAR: Final = 4_000_000_000
GAS_LIMIT: Final = 30_000_000


class Meter:
    """A chain with our contracts and one party for each role that acts; notes the gas of what it sends."""

    def __init__(self, node: LocalNode) -> None:
        self.found: dict[str, int] = {}
        self._keys = {name: digest(f"gas key {name}") for name in PARTIES}
        accounts = {name: account_of(bytes.fromhex(key)) for name, key in self._keys.items()}
        for account in accounts.values():
            node.fund(account)
        founder = self._keys["authority"]
        self._node = node
        salt = bytes.fromhex(digest("salt"))
        deployment = deploy(node.url, founder, digest("authority"), accounts["authority"], salt=salt)
        self._client = ChainClient(Connection(node.url), deployment, founder)
        self._accounts = accounts
        self.numbers = {name: number for number, name in enumerate(PARTIES, start=1)}
        self._measure_deployment()
        others = [name for name in PARTIES if name != "authority"]
        parties = [PartyRegistration(digest(each), accounts[each], 1 << ROLES.index(PARTIES[each])) for each in others]
        self.send("register 4 parties", "authority", calls.register_parties(parties))

    def send(self, name: str | None, party: str, call: Call) -> int:
        """Send a call as a party; with a name its gas is noted."""
        client = self._client.with_account(self._keys[party])
        # With a gas limit nothing is estimated first, which takes longer than the transaction.
        gas = client.transact(client.address_of(call.contract), client.encode(call), gas=GAS_LIMIT).gas_used
        if name is not None:
            self.found[name] = gas
        return gas

    def now(self) -> int:
        """The newest block's time."""
        return ChainReader(self._client).latest().time

    def wait(self, seconds: int) -> None:
        """Let time pass on the chain."""
        self._node.advance(seconds)

    def relay(self, name: str, party: str, call: Call) -> None:
        """The same through the forwarder, paid by the authority."""
        relay = Relay(self._client)
        request = relay.prepare(self._accounts[party], call, FAR)
        self.found[f"{name}, forwarded"] = relay.submit(sign_request(request, self._keys[party])).gas_used

    def signer_of(self, party: str) -> Signer:
        """Signs acts by a party's own account."""
        return LocalSigner(bytes.fromhex(self._keys[party]), self._accounts[party])

    def use_by_signature(self, uses: list[tuple[str, int]]) -> int:
        """Gas of uses that the bank signs and the authority sends."""
        account = self._accounts["bank"]
        message = uses_message(self._client.deployment.chain, account, FAR, uses)
        signature = sign_act(message, self.signer_of("bank"))
        return self.send(None, "authority", calls.record_uses_for(account, uses, FAR, signature))

    def withdraw_by_signature(self, signer: Signer, statement: str) -> int:
        """Gas of a withdrawal that a party signs and the authority sends."""
        statements = [digest(statement)]
        message = withdrawals_message(self._client.deployment.chain, signer.kid, statements)
        return self.send(None, "authority", calls.withdraw_for(signer.kid, statements, sign_act(message, signer)))

    def _measure_deployment(self) -> None:
        first, connection = self._client.deployment.deploy_block, self._client.connection
        for number, name in enumerate(CONTRACTS, start=first):
            block = connection.ask("eth_getBlockByNumber", hex(number), False)
            (tx_hash,) = block["transactions"]
            receipt: dict[str, Any] = connection.receipt(tx_hash.removeprefix("0x")) or {}
            self.found[f"deploy {name}"] = int(receipt["gasUsed"], 16)
        self.found["deploy all"] = sum(self.found[f"deploy {name}"] for name in CONTRACTS)


def measure() -> dict[str, int]:
    """Gas by move, on a fresh ganache chain."""
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
    """Bytes of runtime code by contract."""
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
    """Uses, withdrawals and holds: each belongs to the digest of what was signed."""
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
    p256 = Es256Signer(bytes.fromhex(digest("P-256 key")))
    meter.send(None, "authority", calls.bind_account(meter.numbers["provider"], p256.kid))
    meter.found["withdraw a statement, signed with P-256"] = meter.withdraw_by_signature(p256, "r1")
    meter.send("hold, first of its statement", "authority", calls.hold([request], "court"))
    meter.send("lift", "authority", calls.lift([request]))
    meter.send("hold, later of its statement", "authority", calls.hold([request], "court"))
    meter.send("hold a certificate and its request", "authority", calls.hold([digest("certificate"), later], "court"))


def _assets(meter: Meter) -> None:
    rows = [AssetRegistration(digest(f"asset {n}"), digest(f"content {n}"), digest(f"print {n}")) for n in range(105)]
    first, second, third = (row.id for row in rows[:3])
    # The contract's counter is set once: the first asset of all costs more than every other.
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
    issuer = meter.numbers["issuer"]
    for name, call in (
        ("accredit", calls.accredit(issuer, "S51", 0, FAR)),
        ("set roles", calls.set_roles(issuer, 1 << ROLES.index("issuer"))),
        ("set status", calls.set_status(issuer, "active", "lifted")),
    ):
        meter.send(name, "authority", call)
    further = "0x" + digest("further")[:40]
    meter.send("bind a further account", "authority", calls.bind_account(meter.numbers["bank"], further))
    meter.send("retire a further account", "bank", calls.retire_account(further))
    meter.send("rotate account", "bank", calls.rotate_account("0x" + digest("fresh")[:40]))
    bank, lost, fresh = meter.numbers["bank"], "0x" + digest("fresh")[:40], "0x" + digest("fresher")[:40]
    meter.send("recover account", "authority", calls.recover_account(bank, lost, fresh, 2))
    meter.send("report a compromise", "authority", calls.report_compromise(bank, lost, 1))


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def tolerance(name: str) -> int:
    """How far two measures of a move may lie apart: what a signature costs depends on its bytes, and they on the time.

    The contract tries two keys for a secp256k1 signature, and the second is tried for every other one. P-256 is
    computed in Solidity, where a step is left out for each pair of zero bits.
    """
    if name.endswith("P-256"):
        return 10_000
    if name.endswith("signed"):
        return 100 if "each" in name else 4_000
    return 200 if name.endswith("forwarded") else 0


def committed() -> dict[str, dict[str, Any]]:
    """The table in the repository."""
    return dict(json.loads(GAS_FILE.read_text()))


def report(found: dict[str, int], before: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The measured gas of each move; its limit, and why it is above that; what it rose from, and what that buys.

    ``before`` is the committed table: a move that costs no more than there keeps the rise that stands there.
    """
    table: dict[str, dict[str, Any]] = {name: {"gas": gas} for name, gas in found.items()}
    for name, limit in LIMITS.items():
        table[name]["limit"] = limit
        if table[name]["gas"] > limit and name in WHY:
            table[name]["why"] = WHY[name]
    for name, row in table.items():
        known = before.get(name, {})
        rise = known.get("rise", {}).get("from", row["gas"])
        start = known["gas"] if row["gas"] > known.get("gas", row["gas"]) + tolerance(name) else rise
        if row["gas"] > start:
            row["rise"] = {"from": start} | _reason(name, row["gas"] - start)
    return table


def _reason(name: str, rise: int) -> dict[str, str]:
    """Why a move costs more; empty if nobody has said."""
    given = next((why for prefix, why in RISES.items() if name.startswith(prefix)), None)
    why = given or (_DISPATCH if rise <= DISPATCH_GAS else None)
    return {"why": why} if why else {}


def main(
    only_print: Annotated[bool, typer.Option("--print", help="Write nothing.")] = False,
) -> None:
    """Measure gas and code size; exit 1 if a limit is exceeded, or if a move costs more and nobody has said why."""
    with errors_explained():
        table = report(measure(), committed())
    for name, row in table.items():
        limit = f"  limit {row['limit']:>9,}" if "limit" in row else ""
        typer.echo(f"{name:44}{row['gas']:>11,}{limit}")
    if not only_print:
        GAS_FILE.write_text(json.dumps(table, indent=1) + "\n")
        SIZE_FILE.write_text(json.dumps(sizes(), indent=1) + "\n")
    exceeded = [name for name, row in table.items() if row["gas"] > row.get("limit", row["gas"]) and "why" not in row]
    for name in exceeded:
        typer.echo(f"{name}: above its limit", err=True)
    unexplained = [name for name, row in table.items() if "why" not in row.get("rise", {"why": ""})]
    for name in unexplained:
        typer.echo(f"{name}: costs more than before; say in RISES what that buys", err=True)
    raise typer.Exit(1 if exceeded or unexplained else 0)


if __name__ == "__main__":
    typer.run(main)
