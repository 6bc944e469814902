"""Proposals, pauses and the founding of a ledger on the command line: printed output and refused commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.chain.local.node import FUNDS_WEI, JOURNAL, LocalNode
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.cli.main import app
from ledger.cli.shell.naming import duration_of
from ledger.domain.canonical import canonical
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import Role
from ledger.domain.powers import DEFAULT_DELAY, MIN_DELAY
from ledger.errors import InvalidInput
from ledger.installation.local_chain import LocalClock
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.parties.custody import new_key, signer_of_key
from ledger.parties.keys.possession import require_possession
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3, Suite
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT, BANK, CHAIN, NONCE

DELAY = 3_600
FIRM = ("--kind", "enterprise", "--region", "440803")
# The serial number of the next firm: each test takes a new firm.
SERIALS = count(2)
SECOND, THIRD = "11440800MB9X00023K", "11440800MB9X00031E"


def identity(name: str, identifier: str) -> str:
    return json.dumps({"name": name, "identifier": identifier})


def invoke(*arguments: str | Path, typed: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*map(str, arguments)], input=typed)
    return done.exit_code, done.output


@dataclass
class Commands:
    """Runs commands while the test has the ledger open; proposals of this ledger wait for an hour."""

    ledger: Ledger
    words: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> str:
        return str(self.ledger.settings.home)

    def run(self, *arguments: str, code: int = 0, typed: str | None = None) -> Any:
        exit_code, printed = invoke(*arguments, "--home", self.home, "--json", typed=typed)
        assert exit_code == code, printed
        return json.loads(printed)

    def people(self, *arguments: str) -> str:
        exit_code, printed = invoke(*arguments, "--home", self.home)
        assert exit_code == 0, printed
        return " ".join(printed.split())

    def wait(self) -> None:
        LocalClock(self.ledger.settings).skip(self.ledger.reader.connection, DELAY)

    def office_for(self, party: str) -> int:
        """Let the first authority propose to make the party a registrar; return the number of the
        unconfirmed proposal.
        """
        number = self.ledger.reader.party_no(party)
        call = calls.set_roles(number, Role.mask([Role.SUBJECT, Role.REGISTRAR]))
        return self.ledger.proposals.propose(self.ledger.installation.authority_party, call).no


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    with create_ledger(Settings(home=tmp_path_factory.mktemp("powers") / "var", delay=DELAY)) as ledger:
        yield Commands(ledger)


@dataclass(frozen=True)
class Firm:
    """A firm that no other test uses."""

    id: str
    uscc: str


@pytest.fixture
def firm(commands: Commands) -> Firm:
    uscc = synthetic_uscc("440803", next(SERIALS))
    return Firm(commands.run("party", "add", *FIRM, "--file", "-", typed=identity("示例企业", uscc))["id"], uscc)


def test_a_waiting_proposal_is_printed_with_its_effective_time_and_the_command_that_vetoes_it(
    commands: Commands, firm: Firm
) -> None:
    row = commands.run("party", "recover", firm.uscc)
    assert (row["act"], row["state"], row["concerned"]) == ("change_key", "pending", firm.id)
    assert row["ready_at"] - row["at"] == DELAY
    number = str(row["proposal"])
    printed = commands.people("keys", "show", number)
    for text in ("待生效 pending", "生效时间 ready_at", f"pingzheng keys veto {number}", f"keys carry-out {number}"):
        assert text in printed, text
    assert row["arguments"]["proof"] and row["arguments"]["proof"] not in printed
    assert [each["proposal"] for each in commands.run("keys", "pending", "--party", firm.uscc)] == [row["proposal"]]
    assert commands.run("keys", "carry-out", number, code=2)["error"] == "PARTY_NOT_READY"
    assert commands.run("keys", "carry-out") == []
    commands.wait()
    (carried,) = [each for each in commands.run("keys", "carry-out") if each["proposal"] == row["proposal"]]
    assert (carried["state"], carried["next"]) == ("carried_out", None)
    accounts = {key["account"]: key for key in commands.run("party", "keys", firm.uscc)}
    assert accounts[row["arguments"]["old"]]["retired_at"] and not accounts[row["arguments"]["fresh"]]["retired_at"]


def test_a_second_authority_confirms_a_proposal_and_a_third_authority_cancels_it(
    commands: Commands, firm: Firm
) -> None:
    number = str(commands.office_for(firm.id))
    printed = commands.people("keys", "show", number)
    assert f"pingzheng keys confirm {number} --by" in printed
    assert commands.run("keys", "confirm", number, code=2)["error"] == "PARTY_OWN_PROPOSAL"
    assert commands.run("keys", "confirm", number, "--by", SECOND)["confirmed_by"]
    assert commands.run("keys", "cancel", number, "--by", THIRD)["state"] == "cancelled"
    assert commands.run("keys", "cancel", number, "--by", THIRD, code=2)["error"] == "PARTY_NOT_PENDING"
    assert commands.run("keys", "show", "4000000000", code=2)["error"] == "PROPOSAL_UNKNOWN"


def test_accreditations_and_official_roles_have_a_waiting_period_but_ordinary_roles_have_none(
    commands: Commands, firm: Firm
) -> None:
    waits = commands.run("party", "accredit", "platform", "S00", "S51", "--last-day", "2030-12-31")
    assert [row["arguments"]["scenario"] for row in waits] == ["S00", "S51"]
    assert "2031-01-01 00:00:00" in commands.people("keys", "show", str(waits[0]["proposal"]))
    assert commands.run("party", "roles", firm.uscc, "--role", "subject", "--role", "issuer")["act"] == "set_roles"
    assert (
        commands.run("party", "roles", firm.uscc, "--role", "subject", "--role", "broker")["roles"] == "subject, broker"
    )
    assert commands.run("party", "status", firm.uscc, "closed", "--reason", "court")["act"] == "set_status"
    assert commands.run("party", "status", firm.uscc, "suspended", "--reason", "court")["status"] == "suspended"
    assert commands.run("party", "status", firm.uscc, "active", "--reason", "lifted")["status"] == "active"
    about = commands.run("keys", "pending", "--party", firm.uscc)
    assert [row["act"] for row in about] == ["set_roles", "set_status"]
    for row in (*waits, *about):
        commands.run("keys", "cancel", str(row["proposal"]))
    pending = {row["proposal"] for row in commands.run("keys", "pending")}
    assert not pending & {row["proposal"] for row in (*waits, *about)}
    assert commands.run("keys", "pending", "--party", firm.uscc) == []
    assert "无 none" in commands.people("keys", "pending", "--party", firm.uscc)


def test_a_party_vetoes_a_change_of_its_keys_with_the_cli(commands: Commands, firm: Firm, tmp_path: Path) -> None:
    """A veto is signed with a key that the installation keeps, or with a key file. A key that was reported as lost may
    also sign it.
    """
    row = commands.run("party", "rotate", firm.uscc)
    assert commands.run("keys", "veto", str(row["proposal"]), "--by", firm.uscc)["state"] == "vetoed"
    account = commands.ledger.parties.register.get(firm.id).account
    key = tmp_path / "firm.key"
    # The key is read from the file, because a command in another process made it, and the open ledger has not read it
    # yet.
    kept = json.loads((commands.ledger.settings.keys_folder / "accounts.json").read_text())
    key.write_text(kept[account] + "\n")
    assert commands.run("keys", "report", firm.uscc, account, "--key", str(key))["reported"] == account
    assert {each["account"]: each["reported_at"] for each in commands.run("party", "keys", firm.uscc)}[account]
    recovery = commands.run("party", "recover", firm.uscc)
    vetoed = commands.run("keys", "veto", str(recovery["proposal"]), "--by", firm.uscc, "--key", str(key))
    assert vetoed["state"] == "vetoed"


def test_a_party_signs_its_proposals_with_its_own_key_file(commands: Commands, tmp_path: Path) -> None:
    """The party registers and replaces its keys with its own key files. The installation keeps none of these keys."""
    first, second = tmp_path / "first.key", tmp_path / "second.key"
    printed = {}
    for path in (first, second):
        invoke("key", "new", path)
        proving = ("key", "prove", path, "--deployment", f"{commands.home}/deployment.json", "--json")
        printed[path] = json.loads(invoke(*proving)[1])
    named = tmp_path / "bank.json"
    named.write_text(identity("示例银行", "91440881MA9X000384"), "utf-8")
    newcomer = ("--kind", "bank", "--region", "440881", "--file", str(named))
    keyed = ("--public-key", printed[first]["public_key"], "--proof", printed[first]["proof"])
    further = f"{printed[second]['public_key']}={printed[second]['proof']}"
    wrong = ("--further-key", printed[second]["public_key"])
    assert commands.run("party", "add", *newcomer, *keyed, *wrong, code=2)["error"] == "FURTHER_KEY_FORM"
    bank = commands.run("party", "add", *newcomer, *keyed, "--further-key", further)
    assert bank["account"] == printed[first]["account"]
    assert len(commands.run("party", "keys", bank["id"])) == 2
    retiring = ("party", "retire", bank["id"], printed[second]["account"])
    assert commands.run(*retiring, code=2)["error"] == "SIGNATURE_REQUIRED"
    assert commands.run(*retiring, "--key", str(first))["arguments"]["old"] == printed[second]["account"]


def test_a_pause_is_shown_with_the_time_at_which_it_ends(commands: Commands) -> None:
    assert commands.run("pause", "show") == {"paused": False, "until": 0}
    begun = commands.run("pause", "start", "--by", SECOND)
    assert begun["paused"] and begun["until"] > commands.ledger.clock()
    assert "已暂停 paused │ 是 yes" in commands.people("pause", "show")
    assert commands.run("pause", "start", code=2)["error"] == "PARTY_PAUSED"
    printed = identity("示例企业", "91440825MA9X00046U")
    stopped = commands.run("party", "add", *FIRM, "--file", "-", typed=printed, code=2)
    assert stopped["error"] == "PARTY_PAUSED"
    assert commands.run("pause", "end") == {"paused": False, "until": 0}
    assert commands.run("pause", "end", code=2)["error"] == "PARTY_NOT_PAUSED"
    assert commands.run("pause", "start", "--by", SECOND, code=2)["error"] == "PARTY_PAUSE_REST"


def test_a_new_ledger_can_be_set_up_only_once(tmp_path: Path) -> None:
    home = tmp_path / "var"
    printed = json.loads(invoke("init", "--delay", "2h", "--accredit", "S51", "--home", home, "--json")[1])
    assert (printed["delay_seconds"], printed["threshold"], printed["officers"]) == (7_200, 2, 3)
    assert [path.name for path in sorted((home / "offices").iterdir())] == ["1", "2", "3"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (home / "offices").glob("*/accounts.json"))
    with open_ledger(Settings(home=home, delay=0)) as ledger:
        assert ledger.reader.chain.delay == 7_200
        start, end = ledger.reader.accreditation(ledger.installation.issuer, "S51")
        assert start <= ledger.clock() < end
    again = json.loads(invoke("init", "--home", home, "--json")[1])
    assert (again["error"], again["where"]) == ("LEDGER_SET_UP", str(home))


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("90m", 5_400), ("72h", DEFAULT_DELAY), ("1d", MIN_DELAY)]
)
def test_a_duration_can_be_given_in_days_hours_minutes_or_seconds(text: str, seconds: int) -> None:
    assert duration_of(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1w", "1.5h", "h", "１h", "9999999999"])
def test_an_invalid_duration_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        duration_of(text)
    assert refusal.value.code == "DURATION_FORM"
    if not text.startswith("-"):
        printed = json.loads(invoke("init", "--delay", text, "--home", tmp_path / "var", "--json")[1])
        assert printed["error"] == "DURATION_FORM" and not (tmp_path / "var").exists()


class Elsewhere:
    """A chain outside this installation, and a founding file from each of the three authorities of its ledger."""

    def __init__(self, folder: Path, node: Connection) -> None:
        self.folder, self.node = folder, node
        self.files = [self.office(number, uscc) for number, uscc in enumerate(OFFICES, start=1)]

    def office(self, number: int, uscc: str) -> Path:
        key, out = self.folder / f"{number}.key", self.folder / f"{number}.json"
        assert invoke("key", "new", key)[0] == 0
        named = ("--name", f"示例机构{number}", "--uscc", uscc, "--region", "440800", "--out", out)
        assert invoke("key", "office", key, *named)[0] == 0
        assert invoke("key", "office", key, *named)[0] == 2
        return out

    def init(self, *files: Path, delay: str = "24h") -> Any:
        offices = [word for path in files for word in ("--office", path)]
        return json.loads(invoke("init", "--delay", delay, *offices, "--home", self.folder / "var", "--json")[1])


OFFICES = ("11440800MB9X00015Q", "11440800MB9X00023K", "11440800MB9X00031E")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    with LocalNode(tmp_path / "node", program=JOURNAL, chain_id=4412, persistent=False) as node:
        monkeypatch.setenv("PINGZHENG_RPC_URL", node.url)
        yield Elsewhere(tmp_path, Connection(node.url))


def test_a_ledger_is_founded_with_a_founding_file_of_each_authority(elsewhere: Elsewhere) -> None:
    """The folder of the new ledger contains none of the authorities' keys."""
    short = elsewhere.init(*elsewhere.files, delay="23h")
    assert (short["error"], "24 hours" in short["hint"]) == ("DELAY_TOO_SHORT", True)
    changed = json.loads(elsewhere.files[0].read_text()) | {"uscc": OFFICES[2]}
    (elsewhere.folder / "changed.json").write_bytes(canonical(changed))
    assert elsewhere.init(elsewhere.folder / "changed.json")["error"] == "OFFICE_FILE_INVALID"
    assert elsewhere.init(elsewhere.files[0], elsewhere.files[0], elsewhere.files[1])["error"] == "OFFICES_MISSING"
    assert not (elsewhere.folder / "var" / "deployment.json").exists()
    poor = elsewhere.init(*elsewhere.files)
    assert poor["error"] == "ACCOUNT_WITHOUT_FUNDS"
    elsewhere.node.ask("hardhat_setBalance", poor["where"], hex(FUNDS_WEI))
    founded = elsewhere.init(*elsewhere.files)
    assert (founded["officers"], founded["delay_seconds"]) == (3, MIN_DELAY), founded
    kept = [path for path in (elsewhere.folder / "var" / "offices").glob("*/accounts.json") if path.read_text() != "{}"]
    assert kept == []


def test_founding_files_have_no_effect_on_a_local_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINGZHENG_RPC_URL", raising=False)
    file = Elsewhere(tmp_path, Connection("http://127.0.0.1:9")).files[0]
    printed = json.loads(invoke("init", "--office", file, "--home", tmp_path / "var", "--json")[1])
    assert printed["error"] == "OFFICES_PLAYED_HERE" and not (tmp_path / "var").exists()


@pytest.mark.parametrize("suite", [ES256K, ES256, SM2SM3], ids=lambda suite: suite.alg)
def test_the_key_prove_command_writes_a_valid_proof_of_possession(
    commands: Commands, tmp_path: Path, suite: Suite
) -> None:
    key = tmp_path / "own.key"
    text = new_key(suite)
    key.write_text(text + "\n")
    deployment = commands.ledger.settings.home / "deployment.json"
    printed = json.loads(invoke("key", "prove", key, "--deployment", deployment, "--json")[1])
    signer = signer_of_key(text)
    assert (printed["account"], printed["public_key"]) == (signer.kid, signer.public_key)
    assert (
        require_possession(commands.ledger.reader.chain, printed["public_key"], printed["proof"], "here")
        == printed["proof"]
    )
    missing = json.loads(invoke("key", "prove", key, "--deployment", tmp_path / "none.json", "--json")[1])
    assert missing["error"] == "DEPLOYMENT_MISSING"


@pytest.mark.parametrize(("delay", "warned"), [(DEFAULT_DELAY, False), (DELAY, True)])
def test_the_verify_command_shows_the_waiting_period_and_the_authorities_that_proposed_the_keys(
    tmp_path: Path, delay: int, warned: bool
) -> None:
    made = usage(chain=replace(CHAIN, delay=delay))
    (tmp_path / "bundle.json").write_bytes(made.bundle.to_bytes())
    (tmp_path / "facts.json").write_bytes(made.facts.to_bytes())
    request = {"consumer": BANK.id, "nonce": NONCE, "templates": [made.claims["template"]]}
    (tmp_path / "request.json").write_text(json.dumps(request))
    known = ("--facts", tmp_path / "facts.json", "--request", tmp_path / "request.json", "--at", str(AT))
    code, printed = invoke("verify", tmp_path / "bundle.json", *known)
    assert code == 0, printed
    printed = " ".join(printed.split())
    for text in (f"A new key waits {delay // 3600} hours", "2 authorities propose it", "Signed certificate: "):
        assert text in printed, text
    assert ("DELAY_SHORT" in printed) == warned
    machine = json.loads(invoke("verify", tmp_path / "bundle.json", *known, "--json")[1])
    assert machine["ledger"] == {"delay": delay, "threshold": 2}
    assert bool(machine["cautions"]) == warned and machine["keys"]
