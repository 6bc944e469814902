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

from ledger.chain.accounts import account_of
from ledger.chain.contracts.deployment import ASSET_REGISTRY, CONTRACTS, PARTY_REGISTRY, artifact_of
from ledger.chain.contracts.names import ROLES
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import asset_calls, calls
from ledger.chain.sending.asset_calls import AssetRegistration, Grant
from ledger.chain.sending.calls import Call, Founding, PartyRegistration
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.chain.sending.proposals import proposal_of
from ledger.chain.sending.relay import Relay, sign_request
from ledger.chain.sending.sender import Receipt
from ledger.cli.shell.output import errors_explained
from ledger.proof.acts import prove_key, report_message, sign_act, uses_message, veto_message, withdrawals_message
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
    "offer + accept": "each act looks its party up in a registry that decides by proposals: ADR 11",
    "recover account": "three transactions: proposed, confirmed by a second party, carried out after a delay: ADR 11",
}
# What a rise over the committed figure buys; the first prefix that fits. See docs/adr/0009-keyed-by-what-was-signed.md
# and docs/adr/0011-two-parties-and-a-delay.md.
_OWN_LOG = "each issuer has its own log, and each event names its issuer: nobody else can anchor or revoke there"
_PAUSE = "the registry says whether the ledger is paused, which is a slot more"
_ACCUSED = "an officer against whom two others decided cancels nothing meanwhile, so they can appoint another"
_SILENCE = "it is noted since when a party is silent, and which keys can send transactions: these make an officer"
_DISPATCH = "the party registry has proposals, keys and pauses, and looks an act up among more functions"
RISES: Final = {
    "deploy Forwarder": "the origin of the ledger, after which the signing domain is named",
    "deploy PartyRegistry": "proposals, vetoes, reports, pauses: no single key decides; eight founding parties",
    "deploy AssetRegistry": "two officers reassign what a silent party holds; pauses",
    "deploy CertificateLog": "two of an office lift its hold, and a reported key withdraws apart; pauses",
    "deploy all": "proposals, vetoes, reports, pauses, reassignment",
    "anchor, size 8192, each": _OWN_LOG,
    "anchor": _PAUSE,
    "revoke 1000 of 8192 at random, each": _OWN_LOG,
    "use 100": "each consumer has its own counter for each request, a slot each: nobody else can spend its uses",
    "use, later under its request, signed": "others may pay: the contract checks the consumer's signature",
    "withdraw a statement, signed with P-256": "keys of phones and browsers; P-256 is computed in Solidity here",
    "withdraw a statement": "the log keeps withdrawals by a reported key apart from the party's own",
    "register": _PAUSE,
    "confirm an office": _ACCUSED,
    "confirm a date of compromise": _ACCUSED,
    "cancel a proposal": _ACCUSED,
    "confirm": _PAUSE,
    "report a key": _SILENCE,
    "carry out": _SILENCE,
    "offer + accept": _DISPATCH,
    "set": "the officers are counted again: three are always left",
    "rotate account": "a new key waits, and every key that the party had may veto it",
    "recover account": "two officers and a delay, in which every key that the party had may veto",
}
# Anything else may rise by this much, for the reason `_DISPATCH`.
DISPATCH_GAS: Final = 600
PARTIES: Final = {
    "authority": "authority",
    "issuer": "issuer",
    "provider": "provider",
    "registrar": "registrar",
    "bank": "consumer",
    "second officer": "authority",
    "third officer": "authority",
    "subject": "subject",
}
# Moves that bind keys with a proof, which is a signature.
PROVEN: Final = {
    "confirm a registration",
    "confirm 100 registrations, each",
    "carry out a further key",
    "carry out a rotation",
    "carry out a recovery",
    "rotate account",
    "recover account",
}
# How long proposals wait on the chain of the measures.
DELAY: Final = 600
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
        sender = self._keys["authority"]
        self._node = node
        salt = bytes.fromhex(digest("salt"))
        founding = [Founding(digest(each), (accounts[each],), 1 << ROLES.index(PARTIES[each])) for each in PARTIES]
        deployment = deploy(node.url, sender, founding, delay=DELAY, salt=salt)
        self._client = ChainClient(Connection(node.url), deployment, sender)
        self._accounts = accounts
        self.numbers = {name: number for number, name in enumerate(PARTIES, start=1)}
        self._measure_deployment()

    def send(self, name: str | None, party: str, call: Call) -> int:
        """Send a call as a party; with a name its gas is noted."""
        gas = self._transact(party, call).gas_used
        if name is not None:
            self.found[name] = gas
        return gas

    def propose(self, name: str | None, party: str, call: Call) -> int:
        """The number of a new proposal; a list of parties is proposed by its digest."""
        registers = call.function == "register"
        proposed = calls.propose_registration(self._client.act_of(call)) if registers else calls.propose(call)
        receipt = self._transact(party, proposed)
        if name is not None:
            self.found[f"propose {name}"] = receipt.gas_used
        return proposal_of(receipt)

    def decide(self, name: str, call: Call, *, waits: bool = True) -> None:
        """What two officers decide, step by step: proposed, confirmed, and carried out if it waits."""
        number = self.propose(name, "authority", call)
        self.send(f"confirm {name}", "second officer", calls.confirm(number, call))
        if waits:
            self.wait(DELAY)
            self.send(f"carry out {name}", "bank", calls.carry_out(number, call))

    def change_own(self, name: str | None, party: str, call: Call) -> None:
        """A party's change of its own keys: proposed, and carried out after the delay."""
        number = self.propose(name, party, call)
        self.wait(DELAY)
        self.send(name and f"carry out {name}", party, calls.carry_out(number, call))

    def proof(self, signer: Signer, number: int = 0) -> str:
        """The proof of possession of a key, for the party of that number."""
        return prove_key(self._client.deployment.chain, signer, number)

    def registration(self, name: str) -> PartyRegistration:
        """A consumer with one key."""
        signer = signer_of(digest(f"key of {name}"))
        return PartyRegistration(digest(name), ((signer.kid, self.proof(signer)),), 1 << ROLES.index("consumer"))

    def veto_by_signature(self, party: str, number: int) -> int:
        """Gas of a veto that a party signs and the authority sends."""
        account = self._accounts[party]
        message = veto_message(self._client.deployment.chain, account, number)
        signature = sign_act(message, self.signer_of(party))
        return self.send(None, "authority", calls.veto_for(account, number, signature))

    def report_by_signature(self, party: str, account: str) -> int:
        """Gas of a report that a party signs and the authority sends."""
        own = self._accounts[party]
        message = report_message(self._client.deployment.chain, own, account)
        signature = sign_act(message, self.signer_of(party))
        return self.send(None, "authority", calls.report_for(own, self.numbers[party], account, signature))

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
        return signer_of(self._keys[party])

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

    def _transact(self, party: str, call: Call) -> Receipt:
        client = self._client.with_account(self._keys[party])
        # With a gas limit nothing is estimated first, which takes longer than the transaction.
        return client.transact(client.address_of(call.contract), client.encode(call), gas=GAS_LIMIT)

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
    """The provider falls silent; two officers move one of its assets."""
    provider = meter.numbers["provider"]
    for key in (meter.signer_of("provider").kid, Es256Signer(bytes.fromhex(digest("P-256 key"))).kid):
        meter.send(None, "authority", calls.report(provider, key))
    asset = digest("asset 9")
    meter.decide("a reassignment", asset_calls.reassign(asset, meter.numbers["bank"], digest("grounds")))


def _sum(meter: Meter, name: str) -> int:
    """What a proposal costs from its beginning to its end."""
    return sum(meter.found.get(f"{step} {name}", 0) for step in ("propose", "confirm", "carry out"))


def signer_of(key: str) -> Signer:
    """Signs by a secp256k1 key, hex."""
    raw = bytes.fromhex(key)
    return LocalSigner(raw, account_of(raw))


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def tolerance(name: str) -> int:
    """How far two measures of a move may lie apart: what a signature costs depends on its bytes, and they on the time.

    The contract tries two keys for a secp256k1 signature, and the second is tried for every other one. P-256 is
    computed in Solidity, where a step is left out for each pair of zero bits.
    """
    if "P-256" in name:
        return 10_000
    if name.endswith("signed"):
        return 100 if "each" in name else 4_000
    if name in PROVEN:
        return 700 if "each" in name else 4_000
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
