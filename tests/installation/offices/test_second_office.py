"""Registering, vetoing and pausing with a second authority that has its own installation."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ledger.chain.local.node import LocalNode
from ledger.cli.main import app
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import MIN_DELAY, OPEN_FOR
from ledger.errors import Conflict, InvalidInput
from ledger.installation.local_chain import LocalClock
from ledger.installation.participant import Participant
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger, open_participant
from tests.installation.offices.elsewhere import Elsewhere, newcomer
from tests.support.actors.signing_in import token_of
from tests.support.ledgers.waiting_ledger import proposals_after


@pytest.fixture
def second(elsewhere: Elsewhere, ledger: Ledger) -> Iterator[Participant]:
    """The installation of the second authority."""
    with open_participant(elsewhere.office) as opened:
        assert not isinstance(opened, Ledger)
        yield opened


def test_a_registration_waits_until_the_second_authority_confirms_the_list_of_parties(
    ledger: Ledger, second: Participant
) -> None:
    (row,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer(ledger, 7_010, sm2=True)])
    number = ledger.parties.onboarding.pending(row.id)
    assert (row.no, number is not None) == (None, True)
    assert number is not None
    second.follower.sync()
    (waits,) = [each for each in second.proposals.pending() if each.no == number]
    assert (waits.kind, set(waits.arguments)) == ("register", {"act"})
    with pytest.raises(Conflict, match="REGISTRATION_LIST_MISSING"):
        second.proposals.confirm(second.actor(second.party), number)
    listed = ledger.proposals.listed(ledger.authority, number)
    (whom,) = second.proposals.identities(number, listed)
    identity = ledger.parties.register.identity(row.id)
    assert (whom.id, whom.identifier, whom.name) == (row.id, identity["identifier"], identity["name"])
    assert set(whom.accounts) == {key.account for key in ledger.parties.keys.history(row.id)}
    done = second.proposals.confirm(second.actor(second.party), number, listed=listed)
    assert_nowhere(second, *identity.values())
    assert {party["opening"] for party in ledger.proposals.listed(ledger.authority, number)["parties"]} == {None}
    assert (done.state, done.confirmed_by) == ("carried_out", second.party)
    assert [each["id"] for each in second.proposals.get(number).arguments["parties"]] == [row.id]
    assert ledger.parties.register.get(row.id).no is None
    ledger.proposals.tick()
    assert ledger.parties.register.get(row.id).no == ledger.reader.party_no(row.id)
    assert ledger.parties.onboarding.pending(row.id) is None
    assert all(key.bound_at for key in ledger.parties.keys.history(row.id))


def test_the_command_line_shows_the_second_authority_the_parties_to_register(
    elsewhere: Elsewhere, node: LocalNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command writes the list of parties over a file that all users could read. Then only the file's owner can
    read the file.
    """
    with open_ledger(elsewhere.settings) as ledger:
        (row,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer(ledger, 7_015)])
        number, identity = ledger.parties.onboarding.pending(row.id), ledger.parties.register.identity(row.id)
    monkeypatch.setenv("PINGZHENG_RPC_URL", node.url)
    path = tmp_path / "parties.json"
    path.write_text("older")
    path.chmod(0o644)

    def shown(home: Path, *options: str) -> Result:
        return CliRunner().invoke(app, ["keys", "show", str(number), *options, "--home", str(home)])

    def refused(changed: dict[str, object]) -> str:
        path.write_text(json.dumps(changed))
        done = shown(elsewhere.office.home, "--list", str(path), "--json")
        assert identity["identifier"] not in done.output
        return str(json.loads(done.output)["error"])

    written = shown(elsewhere.settings.home, "--list-out", str(path))
    assert written.exit_code == 0, written.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert identity["identifier"] not in written.output
    read = shown(elsewhere.office.home, "--list", str(path), "--json")
    assert read.exit_code == 0, read.output
    (party,) = json.loads(read.output)["parties"]
    assert {name: party[name] for name in ("id", "kind", "identifier", "name")} == {
        "id": row.id,
        "kind": "bank",
        **identity,
    }
    assert identity["identifier"] in shown(elsewhere.office.home, "--list", str(path)).output
    listed = json.loads(path.read_text())
    listed["parties"][0]["opening"]["identifier"] = synthetic_uscc("440800", 7_098)
    good = path.read_text()
    assert refused(listed) == refused({}) == "REGISTRATION_LIST_INVALID"
    path.write_text(good)
    confirming = ["keys", "confirm", str(number), "--list", str(path), "--by", "self", "--home"]
    done = CliRunner().invoke(app, [*confirming, str(elsewhere.office.home)])
    assert done.exit_code == 0, done.output
    assert identity["identifier"] not in done.output
    with open_ledger(elsewhere.settings) as ledger:
        ledger.proposals.tick()
        assert ledger.parties.register.get(row.id).no


def assert_nowhere(office: Participant, *texts: str) -> None:
    """Fail if the confirming authority's installation or the chain stores the party's name or identifier."""
    found = b"".join(path.read_bytes() for path in office.settings.home.rglob("*") if path.is_file())
    assert not [text for text in texts if text.encode() in found]
    rows = proposals_after(office)
    assert not [text for text in texts if text in str(rows)]


def test_an_authority_cannot_confirm_a_changed_list_or_a_key_without_proof(ledger: Ledger, second: Participant) -> None:
    (row,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer(ledger, 7_011, sm2=True)])
    number = ledger.parties.onboarding.pending(row.id)
    assert number is not None
    second.follower.sync()
    listed = ledger.proposals.listed(ledger.authority, number)
    (party,) = listed["parties"]
    sm2 = next(key for key in party["keys"] if key["public_key"].startswith("sm2:"))
    others = [key for key in party["keys"] if key is not sm2]

    def changed(**members: object) -> dict[str, object]:
        return {**listed, "parties": [{**party, **members}]}

    lists = [
        ("REGISTRATION_LIST_INVALID", {}),
        ("REGISTRATION_LIST_INVALID", {**listed, "format": "pingzheng-registrations/2"}),
        ("REGISTRATION_LIST_INVALID", {**listed, "parties": []}),
        ("REGISTRATION_LIST_INVALID", {**listed, "parties": [7]}),
        ("REGISTRATION_LIST_INVALID", changed(id="e" * 64)),
        ("REGISTRATION_LIST_INVALID", changed(id="short")),
        ("REGISTRATION_LIST_INVALID", changed(roles=["authority"])),
        ("REGISTRATION_LIST_INVALID", changed(roles=["king"])),
        ("REGISTRATION_LIST_INVALID", changed(opening=None)),
        ("REGISTRATION_LIST_INVALID", changed(opening=[])),
        ("REGISTRATION_LIST_INVALID", {**listed, "parties": [{each: party[each] for each in ("id", "roles", "keys")}]}),
        *(
            ("REGISTRATION_LIST_INVALID", changed(opening={**party["opening"], **members}))
            for members in (
                {"identifier": synthetic_uscc("440800", 7_099)},
                {"identifier": "91440800"},
                {"kind": "enterprise"},
                {"kind": "king"},
                {"key": "ab" * 32},
                {"key": "ab"},
                {"name": ""},
                {"name": "two\nlines"},
                {"more": "x"},
            )
        ),
        ("REGISTRATION_LIST_INVALID", changed(keys=others)),
        ("REGISTRATION_LIST_INVALID", changed(keys=[{"public_key": "02" + "0" * 64, "proof": ""}])),
        ("PROOF_MISSING", changed(keys=[*others, {**sm2, "proof": ""}])),
        ("PROOF_INVALID", changed(keys=[*others, {**sm2, "proof": others[0]["proof"]}])),
    ]
    for code, other in lists:
        for act in (
            second.proposals.identities,
            lambda no, file: second.proposals.confirm(second.actor(second.party), no, listed=file),
        ):
            with pytest.raises(InvalidInput, match=code) as caught:
                act(number, other)
            assert party["opening"]["identifier"] not in str(caught.value)
    assert second.proposals.get(number).needs_confirmation
    assert second.proposals.confirm(second.actor(second.party), number, listed=listed).state == "carried_out"


def test_the_official_roles_of_a_new_party_are_proposed_after_its_registration(
    ledger: Ledger, second: Participant
) -> None:
    (row,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer(ledger, 7_012, kind=PartyKind.REGISTRAR)])
    number = ledger.parties.onboarding.pending(row.id)
    assert number is not None
    second.proposals.confirm(
        second.actor(second.party), number, listed=ledger.proposals.listed(ledger.authority, number)
    )
    ledger.proposals.tick()
    (office_proposal,) = ledger.proposals.pending(row.id)
    assert (office_proposal.kind, office_proposal.confirmed_by) == ("set_roles", None)
    confirmed = second.proposals.confirm(second.actor(second.party), office_proposal.no)
    assert (confirmed.state, confirmed.ready_at - confirmed.at) == ("pending", MIN_DELAY)
    ledger.proposals.tick()
    assert ledger.proposals.pending(row.id) == [confirmed]


def test_a_registration_whose_proposal_expired_can_be_proposed_again(tmp_path: Path) -> None:
    """A proposed registration cannot be cancelled. If no second authority confirms it, it expires, and can then be
    proposed again.
    """
    settings = Settings(home=tmp_path / "var")
    offices = settings.home / "offices"
    with create_ledger(settings):
        pass
    for number in ("2", "3"):
        shutil.move(offices / number, tmp_path / number)
    with open_ledger(settings) as ledger:
        good, bad = newcomer(ledger, 7_013), newcomer(ledger, 7_014)
        rows = ledger.parties.onboarding.onboard(ledger.authority, [good, bad])
        (proposal,) = {ledger.parties.onboarding.pending(row.id) for row in rows}
        assert proposal is not None
        with pytest.raises(Conflict, match="PARTY_NOT_CANCELLABLE"):
            ledger.proposals.cancel(ledger.authority, proposal)
        LocalClock(settings).skip(ledger.reader.connection, OPEN_FOR + 2)
        assert ledger.parties.onboarding.pending(rows[0].id) is None
        (again,) = ledger.parties.onboarding.onboard(ledger.authority, [good])
        renewed = ledger.parties.onboarding.pending(again.id)
        assert renewed is not None
        assert renewed > proposal
        assert [each["id"] for each in ledger.proposals.get(renewed).arguments["parties"]] == [rows[0].id]
    shutil.move(tmp_path / "2", offices / "2")
    with open_ledger(settings) as ledger:
        assert ledger.parties.onboarding.onboard(ledger.authority, [good])[0].no is not None
        assert ledger.parties.register.get(rows[1].id).no is None


def test_an_authority_vetoes_a_change_of_its_key_through_its_own_node(ledger: Ledger, second: Participant) -> None:
    (fresh,) = ledger.custody.create()
    row = ledger.parties.keys.recover(ledger.authority, second.party, ledger.custody.public_key(fresh))
    assert row is not None
    second.follower.sync()
    assert [each.no for each in second.proposals.pending(second.party)] == [row.no]
    assert second.proposals.veto(second.actor(second.party), row.no).state == "vetoed"
    ledger.follower.sync()
    assert ledger.proposals.pending(second.party) == []


def test_the_operator_sees_a_pause_that_another_authority_began(ledger: Ledger, second: Participant) -> None:
    until = second.pauses.pause(second.actor(second.party))
    assert ledger.pauses.until() == until
    row = second.pauses.end(second.actor(second.party))
    assert row.needs_confirmation
    done = ledger.proposals.confirm(ledger.authority, row.no)
    assert (done.kind, done.state) == ("end_pause", "carried_out")
    assert second.pauses.until() == 0


def test_an_authority_joins_like_a_consumer_and_sees_its_roles(second: Participant) -> None:
    assert second.callers.of(token_of(second, second.party)).roles == {Role.AUTHORITY}
    assert second.inspection.readiness()["account"]["ok"]
