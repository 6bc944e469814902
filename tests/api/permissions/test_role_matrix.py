"""The role matrix over HTTP: every cell of tests/reference/role_matrix.yaml, by a party with only that role.

A call that the cell allows succeeds. Every other call is refused because a permission is missing, not for another
reason.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from api.http.paging import Place
from ledger.domain.parties import PartyKind, Role
from tests.api.permissions.role_acts import DIGEST, MATRIX, OWN
from tests.api.permissions.role_outcomes import REFUSALS, Outcome
from tests.reference.role_matrix import CELLS, ROWS, name_of
from tests.support.api.stage import FIELDS, Stage
from tests.support.places import SCENARIOS


@pytest.fixture(scope="module", autouse=True)
def afresh(stage: Stage) -> None:
    """Renew the stage's certificates and sessions, because other test files move the clock, and the old certificates
    and sessions may have expired.
    """
    stage.renew()


def granted(stage: Stage, outcomes: list[Outcome]) -> None:
    assert all(outcome.done for outcome in outcomes), outcomes
    stage.used()


def refused(outcomes: list[Outcome]) -> None:
    assert outcomes
    assert not [outcome for outcome in outcomes if outcome.done or outcome.code not in REFUSALS], outcomes


@pytest.mark.parametrize(
    ("action", "column"),
    [
        pytest.param(action, column, id=f"{name_of(column)}: {action}: {cell}")
        for action, cells in CELLS.items()
        for column, cell in cells.items()
    ],
)
def test_each_role_may_do_exactly_what_the_role_matrix_allows(stage: Stage, action: str, column: str) -> None:
    row, cell = MATRIX[action], CELLS[action][column]
    does = {"own": cell == "✓" or cell in OWN, "another's": cell == "✓" and not row.own}
    for word, act in row.words.items():
        if word == cell:
            granted(stage, act(stage, column))
        # The reading call (``r``) must be refused only for a party whose cell is –. A party with any other word in its
        # cell may read.
        elif cell != "✓" and act is not row.words.get(cell) and word not in row.open and (word != "r" or cell == "–"):
            refused(act(stage, column))
    if cell in row.words and row.words[cell] is row.does:
        return
    for whose, done in does.items():
        outcomes = row.does(stage, column, whose == "own")
        if done:
            granted(stage, outcomes)
        else:
            refused(outcomes)


def test_every_row_of_the_matrix_is_tested() -> None:
    assert list(MATRIX) == list(CELLS) == list(ROWS)
    for action, cells in CELLS.items():
        assert set(cells.values()) - {"✓", "–", *OWN} <= MATRIX[action].words.keys()


def test_the_chain_names_the_party_that_ended_a_certificate(stage: Stage) -> None:
    path = f"/v1/certificates/{stage.consented().number}"
    for act, reason in (("suspend", "investigation"), ("resume", "lifted"), ("revoke", "fraud")):
        stage.done(stage.post("I", f"{path}/{act}", {"reason": reason}))
    events = stage.done(stage.get("S", f"{path}/provenance"))["events"]
    assert [event["by"] for event in events if event["name"] == "StatusChanged"] == [stage.parties["I"]] * 3


def test_a_provider_revokes_only_certificates_with_its_own_data_and_only_for_a_data_error(stage: Stage) -> None:
    own, others = stage.consented(), stage.others
    for number, reason in ((own.number, "fraud"), (others.number, "data_error")):
        answer = stage.post("P", f"/v1/certificates/{number}/revoke", {"reason": reason})
        assert (answer.status_code, answer.json()["code"]) == (403, "PARTY_LACKS_ROLE")
    ended = stage.done(stage.post("P", f"/v1/certificates/{own.number}/revoke", {"reason": "data_error"}))
    assert (ended["state"], ended["reason"]) == ("revoked", "data_error")


def test_verifying_an_invalid_certificate_discloses_no_claims(stage: Stage) -> None:
    consent = stage.consented()
    presented = stage.presented(consent)
    assert stage.done(stage.post("C", "/v1/verify", presented))["disclosed"]
    stage.done(stage.post("I", f"/v1/certificates/{consent.number}/revoke", {"reason": "fraud"}))
    report = stage.done(stage.post("C", "/v1/verify", presented))
    assert (report["valid"], report["disclosed"]) == (False, {})


def test_a_subject_sees_the_number_of_the_case_for_which_a_supervisor_read_the_certificate(stage: Stage) -> None:
    consent = stage.consented()
    path = f"/v1/certificates/{consent.number}"
    for case in ("", "abc", "案 1", "x" * 65, f"案{'1' * 18}", "案91440802MA9X00011Y号"):
        answer = stage.post("V", f"{path}/disclosures", {"case": case})
        assert answer.status_code == 422, case
    assert stage.post("V", f"{path}/disclosures").status_code == 422
    seen = stage.done(stage.post("V", f"{path}/disclosures", {"case": "（2026）湛数监13号"}))
    assert seen["claims"].keys() == set(FIELDS)
    events = stage.done(stage.get("S", f"{path}/provenance"))["events"]
    assert [(event["by"], event["args"]) for event in events if event["name"] == "Disclosed"] == [
        (stage.parties["V"], {"case": "（2026）湛数监13号"})
    ]
    # The investigated case may be about the consumer, the provider or the broker. So these parties do not see that data
    # was disclosed for the case.
    for column, shown in (("C", 0), ("P", 0), ("B", 0), ("A", 1), ("V", 1)):
        events = stage.done(stage.get(column, f"{path}/provenance"))["events"]
        assert len([event for event in events if event["name"] == "Disclosed"]) == shown, column
    registration = stage.ledger.registration.registrations.get(stage.pilot.confirmed())["certificate_no"]
    none = stage.post("V", f"/v1/certificates/{registration}/disclosures", {"case": "（2026）湛数监13号"})
    assert (none.status_code, none.json()["code"]) == (409, "NO_PAYLOAD")


def test_an_applicant_does_not_review_its_own_application(stage: Stage) -> None:
    party = stage.join("both", PartyKind.PUBLIC_INST, Role.PROVIDER, Role.REGISTRAR)
    (asset,) = stage.pilot.handed_in(stage.described(), by=party)
    answer = stage.post("both", f"/v1/assets/{asset}/acceptance", {})
    assert (answer.status_code, answer.json()["code"]) == (403, "ASSET_SELF_REVIEW")


def test_a_scenario_is_drafted_by_one_party_and_approved_by_two_other_parties(stage: Stage) -> None:
    drafted = stage.done(stage.post("I", "/v1/scenarios/drafts", {"scenario": stage.scenario()}))
    path = f"/v1/scenarios/drafts/{drafted['digest']}"
    for column in ("A", "V", "A"):
        stage.done(stage.post(column, f"{path}/approval"))
    shown = stage.done(stage.get("I", path))
    assert [(item["office"], item["by"]) for item in shown["approvals"]] == [
        ("authority", stage.parties["A"]),
        ("supervisor", stage.parties["V"]),
    ]
    assert stage.get("C", path).json()["code"] == "PARTY_LACKS_ROLE"
    wrong = stage.post("I", "/v1/scenarios/drafts", {"scenario": stage.scenario() | {"max_uses": 0}})
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["where"]) == (
        422,
        "SCENARIO_INVALID",
        "scenario: max_uses",
    )
    unknown = stage.post("A", f"/v1/scenarios/drafts/{DIGEST}/approval")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "SCENARIO_DRAFT_UNKNOWN")
    stage.join("all offices", PartyKind.OPERATOR, Role.ISSUER, Role.SUPERVISOR)
    own = stage.done(stage.post("all offices", "/v1/scenarios/drafts", {"scenario": stage.scenario()}))
    refusal = stage.post("all offices", f"/v1/scenarios/drafts/{own['digest']}/approval")
    assert (refusal.status_code, refusal.json()["code"]) == (403, "OWN_DRAFT")


def test_an_active_scenario_names_the_parties_that_approved_it(stage: Stage) -> None:
    in_force = yaml.safe_load((SCENARIOS / "S51.yaml").read_text("utf-8"))
    assert stage.done(stage.get("U", "/v1/scenarios/S51"))["approved_by"] == []
    drafted = stage.done(stage.post("I", "/v1/scenarios/drafts", {"scenario": in_force}))
    stage.done(stage.post("V", f"/v1/scenarios/drafts/{drafted['digest']}/approval"))
    assert stage.done(stage.get("U", "/v1/scenarios/S51"))["approved_by"] == ["supervisor"]


def test_log_entries_can_be_read_page_by_page_and_an_entry_can_be_read_by_its_number(stage: Stage) -> None:
    first = stage.done(stage.get("V", "/v1/log/entries?limit=2"))
    second = stage.done(stage.get("V", f"/v1/log/entries?limit=2&cursor={first['next_cursor']}"))
    seen = first["items"] + second["items"]
    assert [item["seq"] for item in seen] == [0, 1, 2, 3]
    assert stage.done(stage.get("V", "/v1/log/entries/2")) == seen[2]
    assert stage.get("V", f"/v1/log/entries/{2**40}").json()["code"] == "ENTRY_UNKNOWN"
    for key in ("x", "-1", "9" * 17, "²", "01"):
        cursor = Place("/v1/log/entries", None).cursor(key)
        assert stage.get("V", f"/v1/log/entries?cursor={cursor}").json()["code"] == "CURSOR_INVALID", key


def test_a_party_reads_only_the_entries_about_itself(stage: Stage) -> None:
    """The entry of a presentation names the consumer and the certificate, so the certificate's subject and provider may
    read it too.
    """
    consent = stage.consented()
    presented = stage.presented(consent)
    assert stage.done(stage.post("C", "/v1/presentations", presented))["valid"]
    stage.ledger.anchoring.flush()
    published = stage.signed_resource()
    entries: list[Any] = stage.ledger.log_entries.page(stage.ledger.actor(stage.parties["V"]), consent.seq, 50)
    for kind, concerned in (("presentation", "SPCDB"), ("use", "SPCDB"), ("publication", "PDB")):
        seq = max(item["seq"] for item in entries if item["type"] == kind)
        for column in ("S", "P", "C", "D", "B", "S2", "P2", "C2"):
            answer = stage.get(column, f"/v1/log/entries/{seq}")
            assert (answer.status_code == 200) == (column in concerned), (kind, column, published)
