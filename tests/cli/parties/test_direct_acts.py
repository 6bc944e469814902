"""``pingzheng keys`` from any node: watched, vetoed and reported by the party itself, with no service in between."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.sending import calls
from ledger.cli.main import app
from ledger.parties.custody import new_key, signer_of_key
from ledger.proof.suites.suite import ES256, SM2SM3
from tests.support.bundles.builder import usage
from tests.support.chain.deployed import Chain, test_key

PARTY = "enterprise"


@dataclass(frozen=True)
class Desk:
    """A folder with the operator's deployment file and the party's keys, and a node. No ledger is there."""

    chain: Chain
    folder: Path

    @property
    def url(self) -> str:
        return self.chain.node.url

    @property
    def party(self) -> Any:
        return self.chain.parties[PARTY]

    def run(self, *arguments: str | Path, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["keys", *map(str, arguments), "--json"])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def direct(self, *arguments: str | Path, code: int = 0) -> Any:
        here = ("--deployment", self.folder / "deployment.json", "--rpc-url", self.url)
        return self.run(*arguments, *here, code=code)

    def watch(self, code: int = 0) -> Any:
        return self.direct("watch", self.party.id, "--once", "--state", self.folder / "seen.json", code=code)

    def key(self, name: str, text: str) -> Path:
        path = self.folder / f"{name}.key"
        path.write_text(text + "\n")
        return path

    def recovery(self) -> int:
        """What two officers decided about the party's key, and what waits now."""
        fresh = account_of(new_private_key())
        call = calls.change_key(self.party.no, fresh, self.party.account)
        number = self.chain.propose(call)
        self.chain.acting("second").send(calls.confirm(number, call))
        return number


@pytest.fixture
def desk(waiting_chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINGZHENG_HOME", str(tmp_path / "none"))
    waiting_chain.deployment.save(tmp_path / "deployment.json")
    (tmp_path / "firm.key").write_text(test_key(PARTY) + "\n")
    (tmp_path / "friend.key").write_text(test_key("bank") + "\n")
    return Desk(waiting_chain, tmp_path)


def test_every_change_is_seen_once_and_what_is_pending_ends_with_one(desk: Desk) -> None:
    first = desk.watch()
    assert [change["event"] for change in first["changes"]] == ["AccountBound"]
    assert first["pending"] == []
    number = desk.recovery()
    second = desk.watch(code=1)
    assert [change["event"] for change in second["changes"]] == ["Proposed", "Confirmed"]
    told = second["changes"][0]["call"]
    assert (told["act"], told["arguments"]["old"]) == ("change_key", desk.party.account)
    (waits,) = second["pending"]
    assert (waits["proposal"], waits["by"], waits["confirmed_by"]) == (number, 1, desk.chain.parties["second"].no)
    assert waits["ready_at"] == waits["at"] + desk.chain.deployment.delay
    third = desk.watch(code=1)
    assert third["changes"] == [] and len(third["pending"]) == 1
    desk.direct("veto", str(number), "--key", desk.folder / "firm.key")
    fourth = desk.watch()
    assert [(change["event"], change["state"]) for change in fourth["changes"]] == [("ProposalEnded", "vetoed")]
    assert fourth["pending"] == []


def test_what_concerns_others_is_not_shown(desk: Desk) -> None:
    desk.watch()
    other = desk.chain.parties["bank"]
    desk.chain.propose(calls.change_key(other.no, account_of(new_private_key())))
    seen = desk.watch()
    assert (seen["changes"], seen["pending"]) == ([], [])


def test_a_party_is_named_by_an_account_too(desk: Desk) -> None:
    told = desk.direct("watch", desk.party.account, "--once")
    assert told["changes"][0]["account"] == desk.party.account
    assert (desk.folder / f"keys-watch-{desk.party.no}.json").exists()
    for unknown in (account_of(new_private_key()), "9" * 64, "91440803MA9X0002X5"):
        assert desk.direct("watch", unknown, "--once", code=2)["error"] == "PARTY_UNKNOWN"


def test_the_last_look_is_of_one_party_on_one_ledger(desk: Desk) -> None:
    desk.watch()
    state = desk.folder / "seen.json"
    other = desk.chain.parties["bank"].id
    told = desk.direct("watch", other, "--once", "--state", state, code=2)
    assert told["error"] == "WATCH_STATE_INVALID"
    for text in ("", "[]", '{"ledger": 1}', json.dumps(json.loads(state.read_text()) | {"block": "1"})):
        state.write_text(text)
        assert desk.watch(code=2)["error"] == "WATCH_STATE_INVALID"


def test_people_read_what_changed_and_how_to_stop_it(desk: Desk) -> None:
    number = desk.recovery()
    here = ["--deployment", "deployment.json", "--rpc-url", desk.url, "--once"]
    done = CliRunner().invoke(app, ["keys", "watch", desk.party.id, *here])
    assert done.exit_code == 1
    told = " ".join(done.stdout.split())
    for text in ("新提案 proposed", "提案已确认 proposal confirmed", "待生效 Pending", f"keys veto {number}"):
        assert text in told, text


def test_it_watches_until_ctrl_c_and_goes_on_from_there(desk: Desk) -> None:
    program = "from ledger.cli.program import run; run()"
    state = desk.folder / "seen.json"
    arguments = ["keys", "watch", desk.party.id, "--deployment", "deployment.json", "--rpc-url", desk.url]
    command = [sys.executable, "-c", program, *arguments, "--every", "1", "--state", str(state), "--json"]
    with subprocess.Popen(command, cwd=desk.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        assert ran.stdout is not None
        assert json.loads(ran.stdout.readline())["event"] == "AccountBound"
        number = desk.recovery()
        seen = [json.loads(ran.stdout.readline()) for _ in range(2)]
        assert [(each["event"], each["proposal"]) for each in seen] == [("Proposed", number), ("Confirmed", number)]
        ran.send_signal(signal.SIGINT)
        _, said = ran.communicate(timeout=30)
    assert ran.returncode == 0, said
    assert "Traceback" not in said and "已停止" in said
    assert desk.watch(code=1)["changes"] == []


def test_a_node_of_another_ledger_is_not_watched(desk: Desk) -> None:
    changed = json.loads((desk.folder / "deployment.json").read_text()) | {"origin": "1" * 64}
    (desk.folder / "deployment.json").write_text(json.dumps(changed))
    assert desk.watch(code=2)["error"] == "LEDGER_DIFFERS"
    assert not (desk.folder / "seen.json").exists()


def test_a_bundle_names_the_ledger_too(desk: Desk) -> None:
    """Whoever holds a certificate needs nothing else of the operator."""
    (desk.folder / "bundle.json").write_bytes(replace(usage().bundle, chain=desk.chain.deployment.chain).to_bytes())
    number = desk.recovery()
    here = ("--bundle", desk.folder / "bundle.json", "--rpc-url", desk.url)
    told = desk.run("watch", desk.party.id, *here, "--once", code=1)
    assert [change["event"] for change in told["changes"]] == ["AccountBound", "Proposed", "Confirmed"]
    assert desk.run("veto", str(number), "--key", desk.folder / "firm.key", *here)["vetoed"] == number


def test_without_a_name_of_the_ledger_nothing_is_watched(desk: Desk) -> None:
    told = desk.run("watch", desk.party.id, "--rpc-url", desk.url, "--once", code=2)
    assert told["error"] == "LEDGER_NOT_NAMED"


def test_a_party_vetoes_and_reports_at_a_node(desk: Desk) -> None:
    """In this order: a key that is reported still vetoes."""
    number = desk.recovery()
    reported = desk.direct("report", desk.party.id, desk.party.account, "--key", desk.folder / "firm.key")
    assert reported["reported"] == desk.party.account
    record = desk.chain.reader.account(desk.party.account)
    assert record is not None and record.reported_at == reported["at"]
    assert desk.direct("veto", str(number), "--key", desk.folder / "firm.key")["vetoed"] == number
    assert desk.chain.reader.proposal(number).state == "vetoed"
    again = desk.direct("veto", str(number), "--key", desk.folder / "firm.key", code=2)
    assert again["error"] == "PARTY_NOT_PENDING"


def test_a_stranger_vetoes_nothing(desk: Desk) -> None:
    number = desk.recovery()
    told = desk.direct("veto", str(number), "--key", desk.folder / "friend.key", code=2)
    assert told["error"] == "PARTY_NO_VETO"
    assert desk.chain.reader.proposal(number).state == "pending"


def test_what_a_phone_signs_anybody_sends(desk: Desk) -> None:
    """A P-256 key sends nothing by itself; what it signed is sent from another account, and cannot be changed."""
    text = new_key(ES256)
    phone, path = signer_of_key(text), desk.key("phone", text)
    desk.chain.decide(calls.change_key(desk.party.no, phone.kid, proof=proof_of(desk, text)), PARTY, None)
    number, act = desk.recovery(), desk.folder / "act.json"
    assert desk.direct("veto", str(number), "--key", path, code=2)["error"] == "PAYER_MISSING"
    offline = ("--deployment", desk.folder / "deployment.json", "--out", act)
    assert desk.run("veto", str(number), "--key", path, *offline)["file"] == str(act)
    signed = json.loads(act.read_text())
    for change in ({"proposal": number + 1}, {"account": desk.party.account}, {"signature": "0" * 256}):
        (desk.folder / "changed.json").write_text(json.dumps(signed | change))
        sending = ("send", desk.folder / "changed.json", "--rpc-url", desk.url, "--payer", desk.folder / "friend.key")
        assert desk.run(*sending, code=2)["error"] == "PARTY_SIGNATURE_INVALID"
    sent = desk.run("send", act, "--rpc-url", desk.url, "--payer", desk.folder / "friend.key")
    assert sent["vetoed"] == number and desk.chain.reader.proposal(number).state == "vetoed"
    desk.run("report", desk.party.id, desk.party.account, "--key", path, *offline)
    desk.run("send", act, "--rpc-url", desk.url, "--payer", desk.folder / "friend.key")
    record = desk.chain.reader.account(desk.party.account)
    assert record is not None and record.reported_at


def proof_of(desk: Desk, text: str) -> str:
    """As the owner makes it, offline."""
    path = desk.key("proving", text)
    number = ("--number", str(desk.party.no))
    done = CliRunner().invoke(app, ["key", "prove", str(path), "--deployment", "deployment.json", *number, "--json"])
    told: dict[str, str] = json.loads(done.stdout)
    assert told["ledger"] == desk.chain.deployment.ledger
    return told["proof"]


def test_a_key_that_the_chain_cannot_check_vetoes_nothing(desk: Desk) -> None:
    path = desk.key("sm", new_key(SM2SM3))
    told = desk.direct("veto", "1", "--key", path, code=2)
    assert told["error"] == "ACT_SUITE_UNSUPPORTED"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": "pingzheng-act/1"}',
        '{"act": "withdraw", "format": "pingzheng-act/2"}',
    ],
)
def test_a_file_that_holds_no_act_is_told(tmp_path: Path, text: str) -> None:
    act, key = tmp_path / "act.json", tmp_path / "friend.key"
    act.write_text(text)
    key.write_text(test_key("bank") + "\n")
    done = CliRunner().invoke(
        app, ["keys", "send", str(act), "--rpc-url", "http://127.0.0.1:9", "--payer", str(key), "--json"]
    )
    assert (done.exit_code, json.loads(done.stdout)["error"]) == (2, "ACT_FILE_INVALID")


@pytest.mark.parametrize(
    "change", [{"chain": {}}, {"account": "0X" + "1" * 40}, {"proposal": "1"}, {"proposal": True}, {"act": "report"}]
)
def test_an_act_of_another_form_is_not_sent(desk: Desk, change: dict[str, Any]) -> None:
    act = desk.folder / "act.json"
    desk.run("veto", "1", "--key", desk.folder / "firm.key", "--deployment", "deployment.json", "--out", act)
    act.write_text(json.dumps(json.loads(act.read_text()) | change))
    sending = ("send", act, "--rpc-url", desk.url, "--payer", desk.folder / "friend.key")
    assert desk.run(*sending, code=2)["error"] == "ACT_FILE_INVALID"


def test_what_is_missing_is_named(desk: Desk) -> None:
    here = ("--deployment", "deployment.json")
    for arguments, code in (
        (("veto", "1", *here), "KEY_MISSING"),
        (("veto", "1", "--key", "firm.key", *here), "RPC_URL_MISSING"),
        (("veto", "1", "--key", "firm.key", "--out", "act.json"), "LEDGER_NOT_NAMED"),
        (("report", desk.party.id, "0x12", "--key", "firm.key", *here, "--out", "act.json"), "ACCOUNT_FORM"),
        (("send", "none.json", "--rpc-url", desk.url, "--payer", "friend.key"), "FILE_MISSING"),
    ):
        assert desk.run(*arguments, code=2)["error"] == code
