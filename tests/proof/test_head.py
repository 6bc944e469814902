"""Digests of events, and the head of their hash chain, compared with bytes written by hand from protocol §3."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from ledger.proof.bundle import ChainId
from ledger.proof.head import EVENTS, act_digest, event_digest, fold, genesis
from ledger.proof.history import HistoryEvent, verify_history

LOG = "0x" + "c0" * 20
ORIGIN = "0a" * 32
ASSET = "5a" * 32
SAMPLES = {"uint": 7, "bytes32": "ab" * 32, "bytes8": "5335310000000000", "address": "0x" + "0d" * 20}

TAGS = {
    "CertificateLog.Anchored": "log/anchored/v2",
    "CertificateLog.StatusChanged": "log/status/v2",
    "CertificateLog.Superseded": "log/superseded/v2",
    "CertificateLog.Used": "log/used/v2",
    "CertificateLog.Withdrawn": "log/withdrawn/v2",
    "CertificateLog.Held": "log/held/v2",
    "PartyRegistry.PartyRegistered": "party/registered/v1",
    "PartyRegistry.AccountBound": "party/bound/v2",
    "PartyRegistry.AccountRetired": "party/retired/v2",
    "PartyRegistry.AccountReported": "party/reported/v1",
    "PartyRegistry.AccountCompromised": "party/compromised/v1",
    "PartyRegistry.RolesChanged": "party/roles/v1",
    "PartyRegistry.PartyStatusChanged": "party/status/v1",
    "PartyRegistry.Accredited": "party/accredited/v1",
    "PartyRegistry.Proposed": "party/proposed/v1",
    "PartyRegistry.Confirmed": "party/confirmed/v1",
    "PartyRegistry.ProposalEnded": "party/ended/v1",
    "PartyRegistry.Paused": "party/paused/v1",
    "PartyRegistry.PauseEnded": "party/pause-ended/v1",
    "AssetRegistry.Registered": "asset/registered/v1",
    "AssetRegistry.Filed": "asset/filed/v1",
    "AssetRegistry.Advanced": "asset/advanced/v1",
    "AssetRegistry.Rejected": "asset/application-rejected/v1",
    "AssetRegistry.Confirmed": "asset/confirmed/v1",
    "AssetRegistry.Cleared": "asset/cleared/v1",
    "AssetRegistry.Objected": "asset/objected/v1",
    "AssetRegistry.ObjectionDecided": "asset/decided/v1",
    "AssetRegistry.TransferOffered": "asset/offered/v1",
    "AssetRegistry.TransferAccepted": "asset/accepted/v1",
    "AssetRegistry.TransferRejected": "asset/rejected/v1",
    "AssetRegistry.TransferWithdrawn": "asset/withdrawn/v1",
    "AssetRegistry.Reassigned": "asset/reassigned/v1",
    "AssetRegistry.Frozen": "asset/frozen/v1",
    "AssetRegistry.Unfrozen": "asset/unfrozen/v1",
    "AssetRegistry.Annulled": "asset/annulled/v1",
    "AssetRegistry.RightGranted": "asset/right-granted/v1",
    "AssetRegistry.RightTransferred": "asset/right-transferred/v1",
    "AssetRegistry.RightEnded": "asset/right-ended/v1",
    "AssetRegistry.Pledged": "asset/pledged/v1",
    "AssetRegistry.LienConsented": "asset/consented/v1",
    "AssetRegistry.LienReleased": "asset/released/v1",
    "AssetRegistry.Linked": "asset/linked/v1",
    "AssetRegistry.Replaced": "asset/replaced/v1",
    "AssetRegistry.Assessed": "asset/assessed/v1",
}

# For each case: the event, its arguments, and in hex the 32-byte words that follow the event's tag when the event is
# hashed.
LAID_OUT = [
    (
        "CertificateLog.Anchored",
        {"issuer": 2, "batch": 3, "firstSeq": 40, "size": 128, "root": "11" * 32, "at": 1_790_000_000},
        [f"{2:064x}", f"{3:064x}", f"{40:064x}", f"{128:064x}", "11" * 32, f"{1_790_000_000:064x}"],
    ),
    (
        "CertificateLog.StatusChanged",
        {"issuer": 6, "batch": 0, "word": 1, "mask": 2**255 + 1, "status": 2, "reason": 7, "at": 9},
        [f"{6:064x}", "0" * 64, f"{1:064x}", "8" + "0" * 62 + "1", f"{2:064x}", f"{7:064x}", f"{9:064x}"],
    ),
    (
        "CertificateLog.Superseded",
        {"issuer": 6, "batch": 1, "index": 2, "newBatch": 3, "newIndex": 4, "at": 9},
        [f"{number:064x}" for number in (6, 1, 2, 3, 4, 9)],
    ),
    (
        "CertificateLog.Used",
        {"consumer": 6, "request": "22" * 32, "ordinal": 65_535, "at": 9},
        [f"{6:064x}", "22" * 32, f"{65_535:064x}", f"{9:064x}"],
    ),
    (
        "CertificateLog.Withdrawn",
        {"party": 8, "statement": "33" * 32, "reported": True, "at": 1_790_000_000},
        [f"{8:064x}", "33" * 32, f"{1:064x}", f"{1_790_000_000:064x}"],
    ),
    (
        "CertificateLog.Held",
        {"statement": "0x" + "44" * 32, "offices": 3, "change": 2, "reason": 4, "at": 9, "by": 7},
        ["44" * 32, *(f"{number:064x}" for number in (3, 2, 4, 9, 7))],
    ),
    (
        "PartyRegistry.AccountBound",
        {"no": 2, "account": "0x" + "ee" * 20, "proven": True, "proposal": 3, "at": 5, "by": 1},
        [f"{2:064x}", "00" * 12 + "ee" * 20, *(f"{number:064x}" for number in (1, 3, 5, 1))],
    ),
    (
        "PartyRegistry.AccountRetired",
        {"no": 2, "account": "0x" + "ee" * 20, "proposal": 3, "at": 5, "by": 1},
        [f"{2:064x}", "00" * 12 + "ee" * 20, *(f"{number:064x}" for number in (3, 5, 1))],
    ),
    (
        "PartyRegistry.AccountReported",
        {"no": 2, "account": "0x" + "ee" * 20, "at": 5, "by": 1},
        [f"{2:064x}", "00" * 12 + "ee" * 20, f"{5:064x}", f"{1:064x}"],
    ),
    (
        "PartyRegistry.Proposed",
        {"no": 4, "act": "55" * 32, "role": 32, "concerned": 2, "ready": 9, "at": 5, "by": 1},
        [f"{4:064x}", "55" * 32, *(f"{number:064x}" for number in (32, 2, 9, 5, 1))],
    ),
    ("PartyRegistry.Confirmed", {"no": 4, "at": 6, "by": 3}, [f"{number:064x}" for number in (4, 6, 3)]),
    (
        "PartyRegistry.ProposalEnded",
        {"no": 4, "state": 4, "account": "0x" + "ee" * 20, "at": 7, "by": 2},
        [f"{4:064x}", f"{4:064x}", "00" * 12 + "ee" * 20, f"{7:064x}", f"{2:064x}"],
    ),
    ("PartyRegistry.Paused", {"until": 604_807, "at": 7, "by": 9}, [f"{number:064x}" for number in (604_807, 7, 9)]),
    ("PartyRegistry.PauseEnded", {"at": 8, "by": 9}, [f"{number:064x}" for number in (8, 9)]),
    (
        "PartyRegistry.Accredited",
        {"no": 2, "scenario": b"S51".ljust(8, b"\0").hex(), "from": 1, "to": 2, "at": 5, "by": 1},
        [f"{2:064x}", b"S51".hex() + "00" * 29, f"{1:064x}", f"{2:064x}", f"{5:064x}", f"{1:064x}"],
    ),
    (
        "AssetRegistry.Reassigned",
        {"id": ASSET, "from": 3, "to": 8, "grounds": "66" * 32, "at": 9, "by": 1},
        [ASSET, f"{3:064x}", f"{8:064x}", "66" * 32, f"{9:064x}", f"{1:064x}"],
    ),
    (
        "AssetRegistry.Frozen",
        {"id": "0x" + ASSET, "reason": 4, "at": "12", "by": "0x1"},
        [ASSET, f"{4:064x}", f"{12:064x}", f"{1:064x}"],
    ),
]


def sample(event: str, **changes: Any) -> dict[str, Any]:
    """Return arguments that fit the event."""
    return {name: SAMPLES[kind] for name, kind in EVENTS[event][1]} | changes


def test_events_and_tags_are_those_of_the_protocol() -> None:
    assert {name: tag for name, (tag, _) in EVENTS.items()} == TAGS


@pytest.mark.parametrize(("event", "args", "words"), LAID_OUT, ids=[event for event, _, _ in LAID_OUT])
def test_event_digest_is_the_hash_of_tag_and_words(event: str, args: dict[str, Any], words: list[str]) -> None:
    tag = TAGS[event].encode().ljust(32, b"\0")
    assert event_digest(event, args) == sha256(tag + bytes.fromhex("".join(words))).digest()


@pytest.mark.parametrize("event", EVENTS)
def test_every_field_of_an_event_changes_its_digest(event: str) -> None:
    whole = event_digest(event, sample(event))
    others = {"uint": 8, "bytes32": "ac" * 32, "bytes8": "5335320000000000", "address": "0x" + "0e" * 20}
    digests = {event_digest(event, sample(event, **{name: others[kind]})) for name, kind in EVENTS[event][1]}
    assert len(digests | {whole}) == len(EVENTS[event][1]) + 1


def test_no_two_events_share_a_digest() -> None:
    assert len({event_digest(event, sample(event)) for event in EVENTS}) == len(EVENTS)


@pytest.mark.parametrize("event", EVENTS)
def test_missing_field_is_refused(event: str) -> None:
    for name, _ in EVENTS[event][1]:
        args = sample(event)
        del args[name]
        with pytest.raises(KeyError):
            event_digest(event, args)


def test_unknown_event_is_refused() -> None:
    with pytest.raises(KeyError):
        event_digest("CertificateLog.Erased", {})


@pytest.mark.parametrize(
    ("event", "name", "value"),
    [
        ("CertificateLog.Anchored", "root", "11" * 31),
        ("CertificateLog.Anchored", "root", "11" * 33),
        ("CertificateLog.Anchored", "root", "gg" * 32),
        ("CertificateLog.Anchored", "root", "1" * 63),
        ("CertificateLog.Anchored", "root", b"\x11" * 32),
        ("CertificateLog.Anchored", "at", -1),
        ("CertificateLog.Anchored", "at", 2**256),
        ("CertificateLog.Anchored", "at", "soon"),
        ("PartyRegistry.AccountBound", "account", "0x" + "ee" * 19),
        ("PartyRegistry.AccountBound", "account", "0x" + "ee" * 32),
        ("PartyRegistry.Accredited", "scenario", b"S51".hex()),
        ("PartyRegistry.Accredited", "scenario", "S51"),
    ],
)
def test_value_of_a_wrong_form_is_refused(event: str, name: str, value: Any) -> None:
    with pytest.raises(ValueError):
        event_digest(event, sample(event, **{name: value}))


def test_genesis_follows_the_protocol() -> None:
    start = b"pingzheng/head/v2".ljust(32, b"\0") + b"\x0a" * 32
    start += (1337).to_bytes(32, "big") + bytes(12) + b"\xc0" * 20
    assert genesis(ORIGIN, 1337, LOG) == sha256(start).digest()
    assert genesis(ORIGIN, 1337, LOG, ASSET) == sha256(start + bytes.fromhex(ASSET)).digest()


def test_genesis_differs_if_origin_or_chain_or_contract_or_asset_differs() -> None:
    starts: list[tuple[Any, ...]] = [
        (ORIGIN, 1337, LOG),
        ("0b" * 32, 1337, LOG),
        (ORIGIN, 1338, LOG),
        (ORIGIN, 1337, "0x" + "c1" * 20),
        (ORIGIN, 1337, LOG, ASSET),
        (ORIGIN, 1337, LOG, "5b" * 32),
    ]
    assert len({genesis(*start) for start in starts}) == len(starts)


FORWARDER, PARTIES, ASSETS, CERTIFICATES = (f"0x{digits * 20}" for digits in ("f0", "d0", "a0", "c0"))
CHAIN = ChainId(1337, FORWARDER, PARTIES, ASSETS, CERTIFICATES, ORIGIN, 86_400, 2)


def test_ledger_digest_is_the_hash_of_tag_and_words() -> None:
    """The hashed words have the order of protocol §1: origin, chain id, contracts, waiting period, threshold."""
    words = [ORIGIN, f"{1337:064x}", *("00" * 12 + digits * 20 for digits in ("f0", "d0", "a0", "c0"))]
    words += [f"{86_400:064x}", f"{2:064x}"]
    tag = b"pingzheng/ledger/v2".ljust(32, b"\0")
    assert CHAIN.ledger == sha256(tag + bytes.fromhex("".join(words))).hexdigest()


def test_each_of_the_eight_values_changes_the_ledger_digest() -> None:
    others: dict[str, Any] = {"chain_id": 1, "origin": "0b" * 32, "delay": 0, "threshold": 1}
    others |= dict.fromkeys(("forwarder", "party_registry", "asset_registry", "certificate_log"), "0x" + "ee" * 20)
    assert others.keys() == CHAIN.to_dict().keys()
    ledgers = {replace(CHAIN, **{name: value}).ledger for name, value in others.items()}
    assert len({CHAIN.ledger, *ledgers}) == 9


TARGET = "0x" + "d0" * 20


@pytest.mark.parametrize(
    ("call", "padding"), [("", 0), ("a1b2c3d4", 28), ("ab" * 31, 1), ("ab" * 32, 0), ("ab" * 33, 31)]
)
def test_act_digest_is_the_hash_of_the_encoded_target_and_call(call: str, padding: int) -> None:
    words = "00" * 12 + "d0" * 20 + f"{64:064x}" + f"{len(call) // 2:064x}" + call + "00" * padding
    assert act_digest(TARGET, bytes.fromhex(call)) == sha256(bytes.fromhex(words)).hexdigest()


@given(st.binary(max_size=300))
def test_we_encode_an_act_as_eth_abi_does(call: bytes) -> None:
    assert act_digest(TARGET, call) == sha256(encode(["address", "bytes"], [TARGET, call])).hexdigest()


def test_trailing_zeros_of_a_call_change_the_act_digest() -> None:
    acts = [act_digest(target, call) for target in (TARGET, LOG) for call in (b"", b"\0", b"\0" * 32, b"\1")]
    assert len(set(acts)) == len(acts)


def test_act_digest_refuses_an_invalid_address() -> None:
    with pytest.raises(ValueError):
        act_digest("0x" + "d0" * 19, b"")


def test_next_head_is_the_hash_of_the_previous_head_and_the_event_digest() -> None:
    assert fold(b"\1" * 32, b"\2" * 32) == sha256(b"\1" * 32 + b"\2" * 32).digest()


START = genesis(ORIGIN, 1337, LOG)
WHOLE = [HistoryEvent(event, sample(event, at=number)) for number, event in enumerate(EVENTS)]


def head_of(events: list[HistoryEvent]) -> bytes:
    head = START
    for item in events:
        head = fold(head, event_digest(item.event, item.args))
    return head


HEAD = head_of(WHOLE)


def test_history_with_all_events_is_complete() -> None:
    found = verify_history(WHOLE, HEAD, START)
    assert (found.complete, found.head, found.events) == (True, HEAD, len(WHOLE))


def test_empty_history_is_complete_only_at_the_genesis() -> None:
    assert verify_history([], START, START).complete
    assert not verify_history([], HEAD, START).complete


@given(st.integers(0, len(WHOLE) - 1))
def test_a_history_in_which_one_event_is_missing_is_not_complete(gone: int) -> None:
    assert not verify_history(WHOLE[:gone] + WHOLE[gone + 1 :], HEAD, START).complete


@given(st.permutations(WHOLE))
def test_a_history_in_a_changed_order_is_not_complete(events: list[HistoryEvent]) -> None:
    assert verify_history(events, HEAD, START).complete == (events == WHOLE)


@given(st.integers(0, len(WHOLE) - 1), st.data())
def test_a_history_with_a_changed_event_is_not_complete(place: int, data: st.DataObject) -> None:
    event = WHOLE[place].event
    name = data.draw(st.sampled_from([name for name, kind in EVENTS[event][1] if kind == "uint"]))
    value = data.draw(st.integers(0, 2**256 - 1))
    events = [*WHOLE[:place], HistoryEvent(event, {**WHOLE[place].args, name: value}), *WHOLE[place + 1 :]]
    assert verify_history(events, HEAD, START).complete == (value == WHOLE[place].args[name])


@given(st.integers(0, len(WHOLE)), st.sampled_from(WHOLE))
def test_a_history_with_an_extra_event_is_not_complete(place: int, more: HistoryEvent) -> None:
    assert not verify_history([*WHOLE[:place], more, *WHOLE[place:]], HEAD, START).complete


def test_a_history_of_another_contract_is_not_complete() -> None:
    assert not verify_history(WHOLE, HEAD, genesis(ORIGIN, 1337, "0x" + "c1" * 20)).complete


@pytest.mark.parametrize(
    "odd",
    [
        HistoryEvent("CertificateLog.Used", sample("CertificateLog.Used", at=7.0)),
        HistoryEvent("CertificateLog.Used", sample("CertificateLog.Used", at=float("inf"))),
        HistoryEvent("CertificateLog.Erased", {}),
        HistoryEvent("CertificateLog.Used", {"consumer": 1}),
        HistoryEvent("CertificateLog.Used", sample("CertificateLog.Used", at=None)),
        HistoryEvent("CertificateLog.Used", sample("CertificateLog.Used", at="later")),
        HistoryEvent("AssetRegistry.Frozen", sample("AssetRegistry.Frozen", id="5a" * 31)),
    ],
    ids=["fraction", "infinity", "unknown event", "missing field", "no number", "text for a number", "short id"],
)
def test_history_with_an_unknown_event_is_not_complete(odd: HistoryEvent) -> None:
    found = verify_history([*WHOLE[:3], odd, *WHOLE[3:]], HEAD, START)
    assert (found.complete, found.events, found.head) == (False, 3, head_of(WHOLE[:3]))
