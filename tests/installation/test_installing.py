"""A ledger on a chain that is not its own: offices elsewhere, one key at most here, and a delay of a day at least."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.contracts.deployment import Deployment
from ledger.chain.local.node import LocalNode
from ledger.cli.main import app
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import DEFAULT_DELAY, MIN_DELAY, OPEN_FOR
from ledger.errors import Conflict, InvalidInput, Misconfigured
from ledger.installation.home import MARKER
from ledger.installation.joining import join
from ledger.installation.local_chain import LocalClock
from ledger.installation.participant import Participant
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger, open_participant
from ledger.parties.custody import Custody, new_key, signer_of_key
from ledger.parties.newcomers import NewParty
from ledger.parties.offices import FoundingOffice, dump_office, office_file, read_office
from ledger.parties.possession import possession_of
from ledger.parties.tables import Party, PartyKey
from ledger.proof.suites.suite import SM2SM3
from tests.support.actors.signing_in import token_of

FAR = 4 * 10**9


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    """A chain of somebody else's."""
    with LocalNode(tmp_path_factory.mktemp("elsewhere"), persistent=False) as running:
        yield running


def office(key: bytes, serial: int) -> FoundingOffice:
    uscc = ("11440800MB9X00023K", "11440800MB9X00031E")[serial]
    return read_office(dump_office(office_file(key.hex(), f"某局{serial}（演示）", uscc, "440800")).encode())


def founded(settings: Settings, node: LocalNode, founders: list[FoundingOffice]) -> None:
    """Set the ledger up; its operator is given money once its account is known."""
    with pytest.raises(Misconfigured, match="ACCOUNT_WITHOUT_FUNDS"), create_ledger(settings, founders=founders):
        pass
    for account in Custody(settings.keys_folder / "accounts.json").accounts:
        node.fund(account)
    with create_ledger(settings, founders=founders, accreditations={"S51": (1, FAR)}):
        pass


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A ledger on the other chain, and the home of its second office, which has joined."""

    settings: Settings
    office: Settings
    keys: tuple[bytes, bytes]


@pytest.fixture(scope="module")
def elsewhere(node: LocalNode, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    home = tmp_path_factory.mktemp("operator") / "home"
    settings = Settings(home=home, rpc_url=node.url, delay=MIN_DELAY)
    keys = (new_private_key(), new_private_key())
    founded(settings, node, [office(key, serial) for serial, key in enumerate(keys)])
    node.fund(account_of(keys[0]))
    joining = Settings(home=tmp_path_factory.mktemp("office") / "home")
    join(joining, home / "deployment.json", node.url, keys[0])
    return Elsewhere(settings, joining, keys)


@pytest.fixture
def ledger(elsewhere: Elsewhere) -> Iterator[Ledger]:
    with open_ledger(elsewhere.settings) as opened:
        yield opened


@pytest.fixture
def second(elsewhere: Elsewhere, ledger: Ledger) -> Iterator[Participant]:
    """The second office's own installation."""
    with open_participant(elsewhere.office) as opened:
        assert not isinstance(opened, Ledger)
        yield opened


def three_offices(key: bytes) -> list[FoundingOffice]:
    """None of them here; the first one has this key."""
    first = FoundingOffice(
        replace(office(key, 0).institution, uscc="11440800MB9X00015Q"), signer_of_key(key.hex()).public_key
    )
    return [first, *(office(new_private_key(), serial) for serial in range(2))]


def newcomer(ledger: Ledger, serial: int, *, kind: PartyKind = PartyKind.BANK, sm2: bool = False) -> NewParty:
    key = ledger.custody.public_key(*ledger.custody.create())
    further = signer_of_key(new_key(SM2SM3))
    others = ((further.public_key, possession_of(ledger.reader.chain, further)),) if sm2 else ()
    return NewParty(kind, "Elsewhere", synthetic_uscc("440800", serial), "440800", key, further_keys=others)


# Founding


@pytest.mark.parametrize("delay", [0, MIN_DELAY - 1])
def test_a_short_delay_belongs_on_a_local_chain(node: LocalNode, tmp_path: Path, delay: int) -> None:
    founders = [office(new_private_key(), serial) for serial in range(2)]
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=delay)
    with pytest.raises(Misconfigured, match="DELAY_TOO_SHORT"), create_ledger(settings, founders=founders):
        pass
    assert not (tmp_path / "deployment.json").exists()


@pytest.mark.parametrize("serials", [[], [0], [1, 1]])
def test_fewer_than_three_different_authorities_found_nothing(
    node: LocalNode, tmp_path: Path, serials: list[int]
) -> None:
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY)
    founders = [office(new_private_key(), serial) for serial in serials]
    with pytest.raises(Misconfigured, match="OFFICES_MISSING"), create_ledger(settings, founders=founders):
        pass
    assert not (tmp_path / "deployment.json").exists()


def test_one_key_of_two_offices_founds_nothing(node: LocalNode, tmp_path: Path) -> None:
    settings, key = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY), new_private_key()
    with (
        pytest.raises(Misconfigured, match="OFFICES_MISSING"),
        create_ledger(settings, founders=[office(key, 0), office(key, 1)]),
    ):
        pass


def test_a_proposal_waits_for_three_days_unless_the_settings_say_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINGZHENG_DELAY", raising=False)
    assert Settings().delay == DEFAULT_DELAY == 72 * 3_600
    monkeypatch.setenv("PINGZHENG_DELAY", "86400")
    assert Settings().delay == MIN_DELAY


def test_the_constructor_has_the_founders_and_the_operator_can_issue_at_once(ledger: Ledger) -> None:
    assert ledger.reader.officers() == len(ledger.installation.officers) == 3
    records = [ledger.reader.party(number) for number in (1, 2, 3, 4)]
    assert [record.roles for record in records] == [
        ("authority", "admin"),
        ("issuer",),
        ("authority",),
        ("authority",),
    ]
    assert ledger.reader.accreditation(2, "S51") == (1, FAR)
    assert ledger.reader.chain.delay == MIN_DELAY


def test_the_home_holds_the_key_of_one_office_alone(ledger: Ledger, elsewhere: Elsewhere) -> None:
    held = [each for each in ledger.installation.officers if ledger.parties.get(each).account in ledger.custody]
    assert held == [ledger.installation.authority_party]
    assert [path.name for path in (elsewhere.settings.home / "offices").iterdir()] == ["1"]


def test_a_home_whose_offices_are_all_elsewhere_holds_no_office_key(node: LocalNode, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY)
    key = new_private_key()
    founded(settings, node, three_offices(key))
    assert not (tmp_path / "offices").exists()
    with open_ledger(settings) as opened:
        assert opened.parties.get(opened.installation.authority_party).account == account_of(key)
        with pytest.raises(Conflict, match="SIGNATURE_REQUIRED"):
            opened.onboarding.onboard(opened.authority, [newcomer(opened, 7_001)])


def test_a_key_of_another_suite_waits_for_offices_that_are_elsewhere(node: LocalNode, tmp_path: Path) -> None:
    """The chain cannot check the operator's SM2 key, so it takes two offices; until then the key is shown, unbound."""
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY)
    founded(settings, node, three_offices(new_private_key()))
    for _ in range(2):
        with open_ledger(settings.model_copy(update={"suite": "sm3-sm2"})) as opened:
            keys = opened.party_keys.history(opened.installation.operator)
            assert [(key.public_key.startswith("sm2:"), key.bound_at is None) for key in keys] == [
                (False, False),
                (True, True),
            ]
            assert opened.reader.proposal_count() == 0


def test_a_database_that_lost_its_founders_does_not_open(elsewhere: Elsewhere, tmp_path: Path) -> None:
    other = elsewhere.settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'empty.db'}"})
    with pytest.raises(Misconfigured, match="DATABASE_MISSING"), open_ledger(other):
        pass
    assert not (tmp_path / "empty.db").exists()
    with closing(sqlite3.connect(tmp_path / "empty.db")) as database:
        database.execute("CREATE TABLE other (id INTEGER)")
    with pytest.raises(Misconfigured, match="DATABASE_EMPTY"), open_ledger(other):
        pass


def test_what_a_crash_left_of_the_founding_is_gone_on_with(node: LocalNode, tmp_path: Path) -> None:
    """After the contracts were deployed and before the database knew its ledger."""
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY)
    founders = [office(new_private_key(), serial) for serial in range(2)]
    founded(settings, node, founders)
    before = Deployment.load(tmp_path / "deployment.json")
    with open_ledger(settings) as opened, opened.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM ledger_identity")
        for key in session.scalars(select(PartyKey)):
            key.bound_at = None
    (tmp_path / MARKER).touch()
    with create_ledger(settings, founders=founders) as opened:
        assert opened.reader.deployment == before
        with opened.database.read() as session:
            assert all(key.bound_at for key in session.scalars(select(PartyKey)))
            assert sorted(session.scalars(select(Party.no))) == [1, 2, 3, 4]


# An office in its own installation


def test_a_registration_waits_for_the_second_office_and_its_list(ledger: Ledger, second: Participant) -> None:
    (row,) = ledger.onboarding.onboard(ledger.authority, [newcomer(ledger, 7_010, sm2=True)])
    number = ledger.onboarding.pending(row.id)
    assert (row.no, number is not None) == (None, True)
    assert number is not None
    (waits,) = [each for each in second.proposals.pending() if each.no == number]
    assert (waits.kind, set(waits.arguments)) == ("register", {"act"})
    with pytest.raises(Conflict, match="REGISTRATION_LIST_MISSING"):
        second.proposals.confirm(number, second.party)
    listed = ledger.proposals.listed(number)
    (whom,) = second.proposals.identities(number, listed)
    identity = ledger.parties.identity(row.id)
    assert (whom.id, whom.identifier, whom.name) == (row.id, identity["identifier"], identity["name"])
    assert set(whom.accounts) == {key.account for key in ledger.party_keys.history(row.id)}
    done = second.proposals.confirm(number, second.party, listed=listed)
    assert_nowhere(second, *identity.values())
    assert {party["opening"] for party in ledger.proposals.listed(number)["parties"]} == {None}
    assert (done.state, done.confirmed_by) == ("carried_out", second.party)
    assert [each["id"] for each in second.proposals.get(number).arguments["parties"]] == [row.id]
    assert ledger.parties.get(row.id).no is None
    ledger.proposals.tick()
    assert ledger.parties.get(row.id).no == ledger.reader.party_no(row.id)
    assert ledger.onboarding.pending(row.id) is None
    assert all(key.bound_at for key in ledger.party_keys.history(row.id))


def test_the_second_office_reads_on_the_command_line_whom_it_registers(
    elsewhere: Elsewhere, node: LocalNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is for its owner alone, also where one was there that others could read."""
    with open_ledger(elsewhere.settings) as ledger:
        (row,) = ledger.onboarding.onboard(ledger.authority, [newcomer(ledger, 7_015)])
        number, identity = ledger.onboarding.pending(row.id), ledger.parties.identity(row.id)
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
        assert ledger.parties.get(row.id).no


def assert_nowhere(office: Participant, *texts: str) -> None:
    """Neither name nor identifier is kept by the office that confirmed, or stands on the chain."""
    found = b"".join(path.read_bytes() for path in office.settings.home.rglob("*") if path.is_file())
    assert not [text for text in texts if text.encode() in found]
    rows = office.proposals.page()
    assert not [text for text in texts if text in str(rows)]


def test_an_office_confirms_no_list_that_differs_and_no_key_that_nobody_proved(
    ledger: Ledger, second: Participant
) -> None:
    (row,) = ledger.onboarding.onboard(ledger.authority, [newcomer(ledger, 7_011, sm2=True)])
    number = ledger.onboarding.pending(row.id)
    assert number is not None
    listed = ledger.proposals.listed(number)
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
            lambda no, file: second.proposals.confirm(no, second.party, listed=file),
        ):
            with pytest.raises(InvalidInput, match=code) as caught:
                act(number, other)
            assert party["opening"]["identifier"] not in str(caught.value)
    assert second.proposals.get(number).needs_confirmation
    assert second.proposals.confirm(number, second.party, listed=listed).state == "carried_out"


def test_offices_of_a_newcomer_are_proposed_once_it_is_registered(ledger: Ledger, second: Participant) -> None:
    (row,) = ledger.onboarding.onboard(ledger.authority, [newcomer(ledger, 7_012, kind=PartyKind.REGISTRAR)])
    number = ledger.onboarding.pending(row.id)
    assert number is not None
    second.proposals.confirm(number, second.party, listed=ledger.proposals.listed(number))
    ledger.proposals.tick()
    (office_proposal,) = ledger.proposals.pending(row.id)
    assert (office_proposal.kind, office_proposal.confirmed_by) == ("set_roles", None)
    confirmed = second.proposals.confirm(office_proposal.no, second.party)
    assert (confirmed.state, confirmed.ready_at - confirmed.at) == ("pending", MIN_DELAY)
    ledger.proposals.tick()
    assert ledger.proposals.pending(row.id) == [confirmed]


def test_an_expired_registration_is_proposed_in_a_list_of_its_own(tmp_path: Path) -> None:
    """Nobody cancels a registration; what no second office confirms expires."""
    settings = Settings(home=tmp_path / "var")
    offices = settings.home / "offices"
    with create_ledger(settings):
        pass
    for number in ("2", "3"):
        shutil.move(offices / number, tmp_path / number)
    with open_ledger(settings) as ledger:
        good, bad = newcomer(ledger, 7_013), newcomer(ledger, 7_014)
        rows = ledger.onboarding.onboard(ledger.authority, [good, bad])
        (number,) = {ledger.onboarding.pending(row.id) for row in rows}
        assert number is not None
        with pytest.raises(Conflict, match="PARTY_NOT_CANCELLABLE"):
            ledger.proposals.cancel(number, ledger.installation.authority_party)
        LocalClock(settings).skip(ledger.reader.connection, OPEN_FOR + 2)
        assert ledger.onboarding.pending(rows[0].id) is None
        (again,) = ledger.onboarding.onboard(ledger.authority, [good])
        renewed = ledger.onboarding.pending(again.id)
        assert renewed is not None
        assert renewed > number
        assert [each["id"] for each in ledger.proposals.get(renewed).arguments["parties"]] == [rows[0].id]
    shutil.move(tmp_path / "2", offices / "2")
    with open_ledger(settings) as ledger:
        assert ledger.onboarding.onboard(ledger.authority, [good])[0].no is not None
        assert ledger.parties.get(rows[1].id).no is None


def test_an_office_vetoes_a_change_of_its_own_key_from_its_own_node(ledger: Ledger, second: Participant) -> None:
    (fresh,) = ledger.custody.create()
    row = ledger.party_keys.recover(ledger.installation.authority_party, second.party, ledger.custody.public_key(fresh))
    assert row is not None
    assert [each.no for each in second.proposals.pending(second.party)] == [row.no]
    assert second.proposals.veto(row.no, second.party).state == "vetoed"
    assert ledger.proposals.pending(second.party) == []


def test_an_office_pauses_and_the_operator_sees_it(ledger: Ledger, second: Participant) -> None:
    until = second.pauses.pause(second.party)
    assert ledger.pauses.state()[0] == until
    row = second.pauses.end(second.party)
    assert row.needs_confirmation
    done = ledger.proposals.confirm(row.no, ledger.installation.authority_party)
    assert (done.kind, done.state) == ("end_pause", "carried_out")
    assert second.pauses.state()[0] == 0


def test_the_second_office_knows_its_roles_and_joins_like_a_consumer(second: Participant) -> None:
    assert second.callers.of(token_of(second, second.party)).roles == {Role.AUTHORITY}
    assert second.inspection.readiness()["account"]["ok"]
