"""Proposals over HTTP: waiting, confirmation, veto, cancellation, and pauses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.sending import calls
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role, party_id
from ledger.domain.powers import MAX_PAUSE, OPEN_FOR
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger, open_ledger
from ledger.parties.custody import new_key, signer_of_key
from ledger.proof.acts import sign_act
from ledger.proof.jws import LocalSigner
from ledger.proof.suites.suite import ES256
from tests.api.parties.waiting_service import DELAY, Waiting, done, refused, serving, signed, waits
from tests.support.ledgers.waiting_ledger import proposals_after


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    with serving(create_ledger(Settings(home=tmp_path_factory.mktemp("waiting"), batch_age=1, delay=DELAY))) as served:
        yield served


def test_a_waiting_recovery_is_returned_with_its_deadline_and_a_way_to_stop_it(waiting: Waiting) -> None:
    firm = waiting.firm()
    before = waiting.account(firm)
    row = waiting.recovery(firm)
    assert (row["kind"], row["state"], row["role"]) == ("change_key", "pending", "authority")
    assert row["ready_at"] - row["at"] == DELAY and row["expires_at"] - row["ready_at"] == OPEN_FOR
    assert row["concerned"] == row["arguments"]["party"] == waiting.parties[firm]
    assert row["arguments"]["old"] == before
    assert {row["by"], row["confirmed_by"]} <= set(waiting.ledger.installation.officers)
    assert row["by"] != row["confirmed_by"]
    assert f"pingzheng keys veto {row['no']}" in row["how_to_stop"] and "否决" in row["how_to_stop"]
    path = f"/v1/proposals/{row['no']}"
    assert done(waiting.get(firm, path)) == row
    assert waiting.account(firm) == before
    assert refused(waiting.post(firm, f"{path}/carrying-out")) == (409, "PARTY_NOT_READY")
    waiting.skip(DELAY)
    carried = done(waiting.post(firm, f"{path}/carrying-out"))
    assert (carried["state"], carried["ended_at"] > 0) == ("carried_out", True)
    assert done(waiting.post(firm, f"{path}/carrying-out")) == carried
    assert waiting.account(firm) == carried["arguments"]["fresh"] != before


def test_the_pending_proposals_that_concern_one_party_can_be_listed(waiting: Waiting) -> None:
    firm, other = waiting.firm(), waiting.firm()
    mine, theirs = waiting.recovery(firm), waiting.recovery(other)
    numbers = [item["no"] for item in done(waiting.get(firm, "/v1/proposals"))["items"]]
    assert numbers == sorted(numbers) and {mine["no"], theirs["no"]} <= set(numbers)
    own = done(waiting.get(firm, f"/v1/proposals?concerned={waiting.parties[firm]}"))["items"]
    assert own == [mine]
    waiting.skip(DELAY + OPEN_FOR + 1)
    assert done(waiting.get(firm, f"/v1/proposals?concerned={waiting.parties[firm]}"))["items"] == []
    expired = done(waiting.get(firm, f"/v1/proposals/{mine['no']}"))
    assert expired["state"] == "expired"
    late = waiting.post(firm, f"/v1/proposals/{mine['no']}/carrying-out")
    assert refused(late) == (409, "PARTY_PROPOSAL_EXPIRED")


def test_a_veto_signed_with_a_reported_key_is_accepted(waiting: Waiting) -> None:
    """A thief reports the owner's key as lost, and two officers confirm a recovery. The owner can still veto the
    recovery.

    A reported key cannot sign in, so another account sends the owner's signed veto to the chain.
    """
    firm, anybody = waiting.firm(), waiting.firm()
    party = waiting.parties[firm]
    stolen = waiting.tokens.header(party)
    reported = waiting.post(firm, f"/v1/parties/{party}/reports", {"reported": waiting.account(firm)})
    assert done(reported)["id"] == party
    number = waiting.recovery(firm)["no"]
    assert refused(waiting.client.get("/v1/proposals", headers=stolen)) == (401, "SESSION_UNKNOWN")
    waiting.veto_by_signature(firm, number)
    assert done(waiting.get(anybody, f"/v1/proposals/{number}"))["state"] == "vetoed"
    waiting.skip(DELAY)
    assert refused(waiting.post(anybody, f"/v1/proposals/{number}/carrying-out")) == (409, "PARTY_NOT_PENDING")


def test_a_veto_signed_with_a_phones_p256_key_is_accepted(waiting: Waiting) -> None:
    phone = signer_of_key(new_key(ES256))
    firm, stranger = waiting.firm(phone), waiting.firm()
    number = waiting.proposed(calls.change_key(waiting.number(firm), account_of(new_private_key())))
    draft = done(waiting.get(firm, f"/v1/proposals/{number}/veto"))
    assert draft["account"] == phone.kid
    act = sign_act(bytes.fromhex(draft["message"]), phone).hex()
    other = act[:-2] + ("00" if act[-2:] != "00" else "01")
    wrong = waiting.post(firm, f"/v1/proposals/{number}/veto", {"act": other, "account": phone.kid})
    assert refused(wrong) == (422, "PARTY_SIGNATURE_INVALID")
    assert refused(waiting.post(stranger, f"/v1/proposals/{number}/veto")) == (403, "PARTY_NO_VETO")
    body = {"act": act, "account": phone.kid}
    assert done(waiting.post(firm, f"/v1/proposals/{number}/veto", body))["state"] == "vetoed"


def test_the_owner_vetoes_a_rotation_that_a_thief_proposed(waiting: Waiting) -> None:
    """A thief with a copy of the key can propose a rotation. The owner alone can veto this rotation."""
    firm = waiting.firm()
    row = waits(waiting.post(firm, f"/v1/parties/{waiting.parties[firm]}/accounts", {"public_key": waiting.kept_key()}))
    assert (row["role"], row["confirmed_by"], row["by"]) == ("", None, waiting.parties[firm])
    for leaf, code in (("confirmation", (403, "PARTY_LACKS_ROLE")), ("cancellation", (409, "PARTY_NOT_CANCELLABLE"))):
        assert refused(waiting.post("first", f"/v1/proposals/{row['no']}/{leaf}")) == code
    assert done(waiting.post(firm, f"/v1/proposals/{row['no']}/veto"))["state"] == "vetoed"


def test_a_second_authority_must_confirm_a_proposal(waiting: Waiting) -> None:
    firm = waiting.firm()
    office = calls.set_roles(waiting.number(firm), Role.mask([Role.SUBJECT, Role.REGISTRAR]))
    number = waiting.proposed(office)
    path = f"/v1/proposals/{number}"
    answer = done(waiting.get(firm, path))
    assert (answer["kind"], answer["confirmed_by"]) == ("set_roles", None)
    assert answer["arguments"] == {"party": waiting.parties[firm], "roles": ["subject", "registrar"]}
    assert refused(waiting.post("first", f"{path}/confirmation")) == (403, "PARTY_OWN_PROPOSAL")
    assert refused(waiting.post(firm, f"{path}/confirmation")) == (403, "PARTY_LACKS_ROLE")
    confirmed = done(waiting.post("second", f"{path}/confirmation"))
    assert (confirmed["state"], confirmed["confirmed_by"]) == ("pending", waiting.parties["second"])
    assert refused(waiting.post("third", f"{path}/confirmation")) == (409, "PARTY_ALREADY_CONFIRMED")
    assert refused(waiting.post(firm, f"{path}/veto")) == (409, "PARTY_NOT_VETOABLE")
    assert refused(waiting.post(firm, f"{path}/cancellation")) == (403, "PARTY_LACKS_ROLE")
    assert done(waiting.post("third", f"{path}/cancellation"))["state"] == "cancelled"


@pytest.mark.parametrize(
    ("leaf", "body", "kind"),
    [
        ("roles", {"roles": ["subject", "issuer"]}, "set_roles"),
        ("status", {"status": "closed", "reason": "court"}, "set_status"),
    ],
)
def test_giving_an_official_role_and_closing_a_party_wait_for_the_waiting_period(
    waiting: Waiting, leaf: str, body: dict[str, Any], kind: str
) -> None:
    firm = waiting.firm()
    path = f"/v1/parties/{waiting.parties[firm]}/{leaf}"
    row = waits(waiting.call("first", "PUT", path, body))
    assert (row["kind"], row["concerned"]) == (kind, waiting.parties[firm])
    record = waiting.ledger.reader.party(waiting.number(firm))
    assert (record.status, record.roles) == ("active", ("subject",))


def test_an_act_that_one_authority_may_do_alone_takes_effect_at_once(waiting: Waiting) -> None:
    firm = waiting.firm()
    path = f"/v1/parties/{waiting.parties[firm]}"
    assert done(waiting.call("first", "PUT", f"{path}/roles", {"roles": ["consumer"]}))["roles"] == ["consumer"]
    stopped = {"status": "suspended", "reason": "investigation"}
    assert done(waiting.call("first", "PUT", f"{path}/status", stopped))["status"] == "suspended"
    report = {"reported": waiting.account(firm)}
    assert done(waiting.post("second", f"{path}/reports", report))["id"] == waiting.parties[firm]


def test_reporting_an_authoritys_key_needs_two_authorities(waiting: Waiting) -> None:
    supervisor, _ = waiting.office(PartyKind.SUPERVISOR, Role.SUPERVISOR)
    path = f"/v1/parties/{waiting.parties[supervisor]}/reports"
    row = waits(waiting.post("first", path, {"reported": waiting.account(supervisor)}))
    assert (row["kind"], row["concerned"]) == ("report", waiting.parties[supervisor])
    record = waiting.ledger.reader.account(waiting.account(supervisor))
    assert record is not None and not record.reported_at


def test_an_authority_that_keeps_its_own_key_signs_its_confirmation(waiting: Waiting) -> None:
    office, key = waiting.office(PartyKind.GOV_DEPT, Role.AUTHORITY)
    firm = waiting.firm()
    number = waiting.proposed(calls.set_status(waiting.number(firm), "closed", "court"))
    path = f"/v1/proposals/{number}/confirmation"
    asked = waiting.post(office, path)
    assert refused(asked) == (409, "SIGNATURE_REQUIRED")
    body = signed(asked, key)
    other = waiting.proposed(calls.set_status(waiting.number(firm), "closed", "fraud"))
    elsewhere = waiting.post(office, f"/v1/proposals/{other}/confirmation", body)
    assert refused(elsewhere) == (409, "SIGNED_CALL_DIFFERS")
    assert done(waiting.post(office, path, body))["confirmed_by"] == waiting.parties[office]


def test_two_supervisors_together_can_lift_a_hold_that_a_supervisor_placed(waiting: Waiting) -> None:
    """A proposal to lift a supervisor's hold needs the confirmation of a second supervisor; parties with other roles
    may not confirm.
    """
    (first, key), (second, other_key) = (waiting.office(PartyKind.SUPERVISOR, Role.SUPERVISOR) for _ in range(2))
    statements: dict[str, Any] = {"statements": ["5e" * 32]}
    holding = statements | {"reason": "court"}
    done(waiting.post(first, "/v1/holds", holding | signed(waiting.post(first, "/v1/holds", holding), key)))
    lifting = statements | signed(waiting.post(first, "/v1/holds/lift", statements), key)
    row = waits(waiting.post(first, "/v1/holds/lift", lifting))
    assert (row["kind"], row["role"], row["ready_at"]) == ("lift", "supervisor", row["at"])
    assert waiting.ledger.reader.batched("latest").hold("5e" * 32)().offices == ("supervisor",)
    path = f"/v1/proposals/{row['no']}/confirmation"
    assert refused(waiting.post("first", path)) == (403, "PARTY_LACKS_ROLE")
    assert done(waiting.post(second, path, signed(waiting.post(second, path), other_key)))["state"] == "carried_out"
    assert waiting.ledger.reader.batched("latest").hold("5e" * 32)().offices == ()


def test_a_pause_stops_the_waiting_periods_of_proposals_but_no_acts_of_subjects(waiting: Waiting) -> None:
    firm, guardian = waiting.firm(), waiting.firm()
    row = waiting.recovery(firm)
    assert done(waiting.client.get("/v1/pause")) | {"stops": []} == {"paused": False, "paused_until": 0, "stops": []}
    assert refused(waiting.post(guardian, "/v1/pause")) == (403, "PARTY_LACKS_ROLE")
    paused = done(waiting.post("third", "/v1/pause"))
    assert paused["paused"] and paused["paused_until"] - waiting.ledger.clock() in range(MAX_PAUSE - 60, MAX_PAUSE + 1)
    assert refused(waiting.post("second", "/v1/pause")) == (409, "PARTY_PAUSED")
    waiting.skip(DELAY)
    assert refused(waiting.post(firm, f"/v1/proposals/{row['no']}/carrying-out")) == (409, "PARTY_NOT_READY")
    later = done(waiting.get(firm, f"/v1/proposals/{row['no']}"))["ready_at"]
    assert later >= row["ready_at"] + DELAY
    newcomer = {"kind": "bank", "name": "Newcomer", "region": "440800", "public_key": waiting.kept_key()}
    newcomer |= {"identifier": synthetic_uscc("440800", 9890)}
    stopped = waiting.post("first", "/v1/parties", {"parties": [newcomer]})
    assert refused(stopped) == (409, "PARTY_PAUSED")
    report = {"reported": waiting.account(firm)}
    assert waiting.post(firm, f"/v1/parties/{waiting.parties[firm]}/reports", report).status_code == 200
    waiting.veto_by_signature(firm, row["no"])
    assert done(waiting.get(guardian, f"/v1/proposals/{row['no']}"))["state"] == "vetoed"
    assert not done(waiting.call("first", "DELETE", "/v1/pause"))["paused"]
    assert refused(waiting.call("first", "DELETE", "/v1/pause")) == (409, "PARTY_NOT_PAUSED")
    assert refused(waiting.post("third", "/v1/pause")) == (409, "PARTY_PAUSE_REST")
    assert waiting.post("first", "/v1/parties", {"parties": [newcomer]}).status_code == 201


def test_a_registration_list_has_no_identities_after_the_registration_takes_effect(waiting: Waiting) -> None:
    firm = waiting.firm()
    identity = waiting.ledger.parties.register.identity(waiting.parties[firm])
    numbers = [row.no for row in proposals_after(waiting.ledger) if row.kind == "register"]
    path = f"/v1/proposals/{numbers[-1]}/list"
    answer = waiting.get("second", path)
    assert done(answer)["parties"][0]["id"] == waiting.parties[firm]
    assert not [text for text in identity.values() if text in answer.text]
    assert refused(waiting.get(firm, path)) == (403, "PARTY_LACKS_ROLE")


def test_a_registration_waits_until_an_authority_in_another_installation_confirms(tmp_path: Path) -> None:
    """The response lists the new parties, which have no numbers yet, and names the proposal that the second authority
    has to confirm in its own installation.
    """
    settings = Settings(home=tmp_path / "var", delay=DELAY)
    with create_ledger(settings):
        pass
    keys = {}
    for number in ("2", "3"):
        kept = json.loads((settings.home / "offices" / number / "accounts.json").read_text())
        keys[number] = bytes.fromhex(*kept.values())
        shutil.move(settings.home / "offices" / number, tmp_path / number)
    with serving(open_ledger(settings)) as waiting:
        waiting.tokens.elsewhere[waiting.parties["second"]] = LocalSigner(keys["2"], account_of(keys["2"]))
        newcomer = {"kind": "bank", "name": "Newcomer", "region": "440800", "public_key": waiting.kept_key()}
        newcomer |= {"identifier": synthetic_uscc("440800", 9891)}
        answer = waits(waiting.post("first", "/v1/parties", {"parties": [newcomer]}))
        (party,), (row,) = answer["parties"], answer["proposals"]
        assert (party["no"], row["kind"], row["confirmed_by"]) == (None, "register", None)
        assert row["arguments"]["parties"][0]["id"] == party["id"]
        again = waits(waiting.post("first", "/v1/parties", {"parties": [newcomer]}))
        assert (again["parties"], again["proposals"][0]["no"]) == ([party], row["no"])
        (listed,) = done(waiting.get("second", f"/v1/proposals/{row['no']}/list"))["parties"]
        opening = listed["opening"]
        assert {name: opening[name] for name in ("kind", "identifier", "name")} == {
            name: newcomer[name] for name in ("kind", "identifier", "name")
        }
        assert party_id(bytes.fromhex(opening["key"]), PartyKind.BANK, opening["identifier"]) == party["id"]
        path = f"/v1/proposals/{row['no']}/confirmation"
        body = signed(waiting.post("second", path), keys["2"])
        assert done(waiting.post("second", path, body))["state"] == "carried_out"
        registered = done(waiting.get("first", f"/v1/parties/{party['id']}"))
        assert registered == party | {"no": waiting.ledger.reader.party_no(party["id"]), "roles": ["consumer"]}
        repeated = waiting.post("first", "/v1/parties", {"parties": [newcomer]})
        assert (repeated.status_code, repeated.json()) == (201, {"parties": [registered], "proposals": []})


@pytest.mark.parametrize("number", [0, 2**32, "x"])
def test_an_invalid_proposal_number_is_refused(waiting: Waiting, number: object) -> None:
    assert refused(waiting.get("first", f"/v1/proposals/{number}")) == (422, "REQUEST_SHAPE")


def test_attack_a_stranger_cannot_veto_or_report_with_another_partys_key_that_the_service_keeps(
    waiting: Waiting,
) -> None:
    """The service keeps the keys of the firm and of an authority, but must not let a stranger use either key."""
    firm, stranger = waiting.firm(), waiting.firm()
    row = waiting.recovery(firm)
    account = waiting.account(firm)
    assert refused(waiting.post(stranger, f"/v1/proposals/{row['no']}/veto", {"account": account})) == (
        403,
        "PARTY_NO_VETO",
    )
    path = f"/v1/parties/{waiting.parties[stranger]}/reports"
    for signer in (account, waiting.account("first")):
        body = {"reported": waiting.account(stranger), "account": signer}
        assert refused(waiting.post(stranger, path, body)) == (403, "PARTY_UNKNOWN_ACCOUNT")
    assert done(waiting.get(firm, f"/v1/proposals/{row['no']}"))["state"] == "pending"


def test_an_unknown_proposal_is_not_found(waiting: Waiting) -> None:
    for path in ("", "/veto"):
        assert refused(waiting.get("first", f"/v1/proposals/4000000000{path}")) == (404, "PROPOSAL_UNKNOWN")
    for leaf in ("confirmation", "carrying-out"):
        assert refused(waiting.post("first", f"/v1/proposals/4000000000/{leaf}")) == (404, "PROPOSAL_UNKNOWN")
    for leaf in ("cancellation", "veto"):
        assert refused(waiting.post("first", f"/v1/proposals/4000000000/{leaf}")) == (409, "PARTY_NOT_PENDING")


def test_calls_about_proposals_need_a_session(waiting: Waiting) -> None:
    assert refused(waiting.client.get("/v1/proposals")) == (401, "SESSION_MISSING")
