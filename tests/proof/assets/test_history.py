"""An asset's state is computed from its events.

tests/chain/parity/test_asset_history.py compares the computed state with the contract.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ledger.domain.assets.names import RIGHT_KINDS
from ledger.errors import InvalidInput
from ledger.proof.assets.history import view_at
from ledger.proof.assets.view import AssetView, who_held
from ledger.proof.head import EVENTS, event_digest
from ledger.proof.history import HistoryEvent
from tests.support.bundles.asset_histories import (
    ASSET,
    BANK,
    BORN,
    COURT,
    FIRM,
    PARENT,
    PROVIDER,
    SUCCESSOR,
    VALID_TO,
    advanced,
    confirmed,
    confirmed_asset,
    digest,
    ended,
    event,
    granted,
    registered,
    whole_life,
)


def at(after: int, history: list[HistoryEvent] | None = None) -> AssetView:
    return view_at(whole_life() if history is None else history, BORN + after)


def held(view: AssetView, kind: str) -> list[tuple[int, str]]:
    return [(each.party, each.title) for each in who_held(view, kind)]


def test_sample_history_contains_every_kind_of_event() -> None:
    names = {each.event for each in whole_life()}
    assert names == {name for name in EVENTS if name.startswith("AssetRegistry.")}


@pytest.mark.parametrize(
    ("after", "state", "stage", "holder"),
    [
        (-1, "none", None, None),
        (0, "applied", "submitted", PROVIDER),
        (29, "applied", "reviewed", PROVIDER),
        (30, "applied", "noticed", PROVIDER),
        (40, "confirmed", None, PROVIDER),
        (169, "confirmed", None, PROVIDER),
        (170, "confirmed", None, FIRM),
        (284, "confirmed", None, FIRM),
        (285, "confirmed", None, BANK),
        (290, "annulled", None, BANK),
    ],
)
def test_state_and_holder_are_correct_at_every_time(
    after: int, state: str, stage: str | None, holder: int | None
) -> None:
    view = at(after)
    assert (view.state, view.stage, view.holder) == (state, stage, holder)


def test_objections_and_liens_and_other_members_of_the_asset_are_correct_at_every_time() -> None:
    assert [each.state for each in at(64).open_objections] == ["verified"]
    assert not at(65).open_objections
    assert at(65).objections[0].decided_at == BORN + 65
    assert [(each.creditor, each.consent_to) for each in at(110).liens] == [(BANK, FIRM)]
    assert not at(180).liens
    assert (at(160).offer_open, at(160).offered_to, at(170).offer_open) == (True, FIRM, False)
    assert (at(260).frozen, at(270).frozen) == (True, False)
    assert (at(200).filed, at(200).content) == (digest("wrong"), digest("content"))
    assert at(250).content == digest("corrected")
    assert at(280).parents == (("derived_from", PARENT),)
    assert at(280).successors == (SUCCESSOR,)
    assert at(280).reports == (digest("review"), digest("quality"))


def test_offer_is_open_until_its_deadline_and_ends_without_an_event() -> None:
    history = [*confirmed_asset(), event("TransferOffered", 50, PROVIDER, to=BANK, deadline=BORN + 60)]
    assert at(60, history).offer_open
    assert not at(61, history).offer_open
    assert at(61, history).offered_to == BANK


def test_reassignment_ends_the_offer_and_nothing_else() -> None:
    before, after = at(284), at(285)
    assert (before.offer_open, after.offer_open) == (True, False)
    changes: dict[str, Any] = {"at": BORN + 285, "holder": BANK, "since": BORN + 285, "offered_to": None, "until": 0}
    assert after == replace(before, **changes)


def test_reassignment_keeps_an_application_under_public_notice() -> None:
    noticed = [registered(), *(advanced(20, stage, BORN + 90) for stage in ("accepted", "reviewed", "noticed"))]
    moved = event("Reassigned", 50, COURT, **{"from": PROVIDER, "to": FIRM}, grounds=digest("every key is lost"))
    before, after = at(50, noticed), at(50, [*noticed, moved])
    assert after == replace(before, holder=FIRM, since=BORN + 50)
    assert (after.stage, after.until) == ("noticed", BORN + 90)


def test_nobody_has_a_right_while_the_registration_is_not_in_force() -> None:
    for history, after, holders in (
        (confirmed_asset(), 39, []),
        (confirmed_asset(), 40, [(PROVIDER, "holder")]),
        (confirmed_asset(), VALID_TO - BORN - 1, [(PROVIDER, "holder")]),
        (confirmed_asset(), VALID_TO - BORN, []),
        (whole_life(), 284, [(FIRM, "holder")]),
        (whole_life(), 289, [(BANK, "holder")]),
        (whole_life(), 290, []),
    ):
        for kind in RIGHT_KINDS:
            assert held(at(after, history), kind) == holders


def test_holder_has_no_right_during_an_exclusive_grant() -> None:
    history = [*confirmed_asset(), granted(50, PROVIDER, 1, "process", BANK, (100, 200), exclusive=True)]
    for after, holders in (
        (99, [(PROVIDER, "holder")]),
        (100, [(BANK, "grant")]),
        (199, [(BANK, "grant")]),
        (200, [(PROVIDER, "holder")]),
    ):
        assert held(at(after, history), "process") == holders
        assert held(at(after, history), "operate") == [(PROVIDER, "holder")]
    (before,) = who_held(at(99, history), "process")
    assert (before.since, before.until) == (BORN, BORN + 100)
    (after_it,) = who_held(at(200, history), "process")
    assert after_it.until == VALID_TO


def test_holder_keeps_its_right_during_non_exclusive_grants() -> None:
    history = [
        *confirmed_asset(),
        granted(50, PROVIDER, 1, "operate", BANK, (60, 200)),
        granted(51, PROVIDER, 2, "operate", FIRM, (60, 100)),
    ]
    assert held(at(70, history), "operate") == [(PROVIDER, "holder"), (BANK, "grant"), (FIRM, "grant")]
    assert held(at(100, history), "operate") == [(PROVIDER, "holder"), (BANK, "grant")]


def test_licence_ends_when_its_parent_right_ends() -> None:
    history = [
        *confirmed_asset(),
        granted(50, PROVIDER, 1, "process", BANK, (50, 500), exclusive=True, sublicensable=True),
        granted(60, BANK, 2, "process", FIRM, (60, 400), parent=1, sublicensable=True),
        granted(70, FIRM, 3, "process", COURT, (100, 300), parent=2),
        ended(200, BANK, 1),
    ]
    everyone = [(BANK, "grant"), (FIRM, "licence"), (COURT, "licence")]
    assert held(at(99, history), "process") == everyone[:2]
    assert held(at(199, history), "process") == everyone
    assert [each.until for each in who_held(at(199, history), "process")] == [BORN + 500, BORN + 400, BORN + 300]
    assert held(at(200, history), "process") == [(PROVIDER, "holder")]
    view = at(200, history)
    assert [view.effective_end(each) for each in view.rights] == [BORN + 200] * 3


def test_right_that_ends_before_it_begins_is_never_in_force() -> None:
    exclusive = granted(50, PROVIDER, 1, "hold", BANK, (100, 200), exclusive=True)
    history = [*confirmed_asset(), exclusive, ended(70, BANK, 1)]
    (right,) = at(70, history).rights
    assert (right.start, right.end) == (BORN + 70, BORN + 70)
    assert held(at(150, history), "hold") == [(PROVIDER, "holder")]
    (holding,) = who_held(at(80, history), "hold")
    assert holding.until == VALID_TO


def test_unknown_kind_of_right_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        who_held(at(50), "own")
    assert caught.value.code == "RIGHT_KIND_UNKNOWN"


def test_the_json_view_shows_each_party_as_the_given_text() -> None:
    document = at(165).to_dict(lambda number: f"party {number}")
    assert json.loads(json.dumps(document)) == document
    found = (document["holder"], document["offered_to"], document["asset"])
    assert found == (f"party {PROVIDER}", f"party {FIRM}", ASSET)
    assert document["liens"][0]["creditor"] == f"party {BANK}"
    assert document["objections"][0]["objector"] == f"party {BANK}"
    assert document["held"]["hold"][0]["party"] == f"party {PROVIDER}"
    assert document["rights"][0]["grantee"] == f"party {FIRM}"
    assert document["rights"][0]["effective_end"] == BORN + 95
    assert document["parents"] == [{"relation": "derived_from", "asset": PARENT}]
    empty = at(-1).to_dict(lambda number: f"party {number}")
    assert (empty["holder"], empty["held"]) == (None, {kind: [] for kind in RIGHT_KINDS})


@pytest.mark.parametrize(
    "history",
    [
        [confirmed(40)],
        [registered(), registered()],
        [registered(), HistoryEvent("CertificateLog.Used", {"id": ASSET, "at": BORN, "by": 1})],
        [registered(), HistoryEvent("AssetRegistry.Confirmed", {"id": digest("other"), "at": BORN, "by": 1})],
        [registered(), event("Advanced", 1, 2, stage=99, until=0, grounds=digest("x"))],
        [registered(), event("Confirmed", 1, 2)],
        [registered(), event("Confirmed", 1, 2, kind="first", validTo=1)],
        [*confirmed_asset(), granted(50, PROVIDER, 2, "hold", BANK, (60, 70))],
        [*confirmed_asset(), granted(50, PROVIDER, 1, "hold", BANK, (60, 70), parent=1)],
        [*confirmed_asset(), ended(50, PROVIDER, 1)],
        [*confirmed_asset(), event("LienReleased", 50, BANK, lien=3)],
        [*confirmed_asset(), event("Objected", 50, BANK, no=2, toApplication=False, grounds=digest("x"))],
    ],
)
def test_invalid_history_is_refused(history: list[HistoryEvent]) -> None:
    with pytest.raises(InvalidInput) as caught:
        at(1000, history)
    assert caught.value.code == "HISTORY_FORM"


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("exclusive", "0"),
        ("exclusive", "0x0"),
        ("no", "1"),
        ("to", float(BORN + 70)),
        ("id", f"0x{ASSET}"),
        ("scope", digest("scope").upper()),
    ],
)
def test_an_argument_of_an_event_in_a_wrong_form_is_refused(name: str, spelled: Any) -> None:
    """Another spelling of an argument does not change the event's digest, so the hash chain cannot reveal it. But with
    the other spelling, a right that is not exclusive could be shown as exclusive.
    """
    grant = granted(50, PROVIDER, 1, "hold", BANK, (60, 70))
    other = HistoryEvent(grant.event, {**grant.args, name: spelled})
    if not isinstance(spelled, float):
        assert event_digest(other.event, other.args) == event_digest(grant.event, grant.args)
    with pytest.raises(InvalidInput) as caught:
        at(1000, [*confirmed_asset(), other])
    assert (caught.value.code, caught.value.where) == ("HISTORY_FORM", f"event {len(confirmed_asset())}")
