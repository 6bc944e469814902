"""``pingzheng keys`` with any node: a party watches its keys, vetoes proposals and reports keys without the service."""

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
class PartyMachine:
    """A party's own machine without a ledger. It has a folder (deployment file and keys) and the URL of a node."""

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
        """Let two authorities propose and confirm a recovery of the party's key; return the number of the proposal,
        which is waiting.
        """
        fresh = account_of(new_private_key())
        call = calls.change_key(self.party.no, fresh, self.party.account)
        number = self.chain.propose(call)
        self.chain.acting("second").send(calls.confirm(number, call))
        return number


@pytest.fixture
def machine(waiting_chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PartyMachine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINGZHENG_HOME", str(tmp_path / "none"))
    waiting_chain.deployment.save(tmp_path / "deployment.json")
    (tmp_path / "firm.key").write_text(test_key(PARTY) + "\n")
    (tmp_path / "friend.key").write_text(test_key("bank") + "\n")
    return PartyMachine(waiting_chain, tmp_path)


def test_the_watch_command_shows_each_change_once_and_exits_with_1_while_a_proposal_is_pending(
    machine: PartyMachine,
) -> None:
    first = machine.watch()
    assert [change["event"] for change in first["changes"]] == ["AccountBound"]
    assert first["pending"] == []
    number = machine.recovery()
    second = machine.watch(code=1)
    assert [change["event"] for change in second["changes"]] == ["Proposed", "Confirmed"]
    printed = second["changes"][0]["call"]
    assert (printed["act"], printed["arguments"]["old"]) == ("change_key", machine.party.account)
    (waits,) = second["pending"]
    assert (waits["proposal"], waits["by"], waits["confirmed_by"]) == (number, 1, machine.chain.parties["second"].no)
    assert waits["ready_at"] == waits["at"] + machine.chain.deployment.delay
    third = machine.watch(code=1)
    assert third["changes"] == [] and len(third["pending"]) == 1
    machine.direct("veto", str(number), "--key", machine.folder / "firm.key")
    fourth = machine.watch()
    assert [(change["event"], change["state"]) for change in fourth["changes"]] == [("ProposalEnded", "vetoed")]
    assert fourth["pending"] == []


def test_the_watch_command_does_not_show_changes_of_other_parties(machine: PartyMachine) -> None:
    machine.watch()
    other = machine.chain.parties["bank"]
    machine.chain.propose(calls.change_key(other.no, account_of(new_private_key())))
    seen = machine.watch()
    assert (seen["changes"], seen["pending"]) == ([], [])


def test_the_watch_command_accepts_an_account_instead_of_the_party_id(machine: PartyMachine) -> None:
    printed = machine.direct("watch", machine.party.account, "--once")
    assert printed["changes"][0]["account"] == machine.party.account
    assert (machine.folder / f"keys-watch-{machine.party.no}.json").exists()
    for unknown in (account_of(new_private_key()), "9" * 64, "91440803MA9X0002X5"):
        assert machine.direct("watch", unknown, "--once", code=2)["error"] == "PARTY_UNKNOWN"


def test_the_watch_command_refuses_a_state_file_of_another_party_or_ledger(machine: PartyMachine) -> None:
    machine.watch()
    state = machine.folder / "seen.json"
    other = machine.chain.parties["bank"].id
    printed = machine.direct("watch", other, "--once", "--state", state, code=2)
    assert printed["error"] == "WATCH_STATE_INVALID"
    for text in ("", "[]", '{"ledger": 1}', json.dumps(json.loads(state.read_text()) | {"block": "1"})):
        state.write_text(text)
        assert machine.watch(code=2)["error"] == "WATCH_STATE_INVALID"


def test_the_watch_command_prints_the_changes_and_how_to_stop_them(machine: PartyMachine) -> None:
    number = machine.recovery()
    here = ["--deployment", "deployment.json", "--rpc-url", machine.url, "--once"]
    done = CliRunner().invoke(app, ["keys", "watch", machine.party.id, *here])
    assert done.exit_code == 1
    printed = " ".join(done.stdout.split())
    for text in ("新提案 proposed", "提案已确认 proposal confirmed", "待生效 Pending", f"keys veto {number}"):
        assert text in printed, text


def test_the_watch_command_runs_until_ctrl_c_and_the_next_run_continues_where_it_stopped(machine: PartyMachine) -> None:
    program = "from ledger.cli.program import run; run()"
    state = machine.folder / "seen.json"
    arguments = ["keys", "watch", machine.party.id, "--deployment", "deployment.json", "--rpc-url", machine.url]
    command = [sys.executable, "-c", program, *arguments, "--every", "1", "--state", str(state), "--json"]
    with subprocess.Popen(
        command, cwd=machine.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as ran:
        assert ran.stdout is not None
        assert json.loads(ran.stdout.readline())["event"] == "AccountBound"
        number = machine.recovery()
        seen = [json.loads(ran.stdout.readline()) for _ in range(2)]
        assert [(each["event"], each["proposal"]) for each in seen] == [("Proposed", number), ("Confirmed", number)]
        ran.send_signal(signal.SIGINT)
        _, said = ran.communicate(timeout=30)
    assert ran.returncode == 0, said
    assert "Traceback" not in said and "已停止" in said
    assert machine.watch(code=1)["changes"] == []


def test_the_watch_command_refuses_a_node_of_another_ledger(machine: PartyMachine) -> None:
    changed = json.loads((machine.folder / "deployment.json").read_text()) | {"origin": "1" * 64}
    (machine.folder / "deployment.json").write_text(json.dumps(changed))
    assert machine.watch(code=2)["error"] == "LEDGER_DIFFERS"
    assert not (machine.folder / "seen.json").exists()


def test_the_watch_command_accepts_a_bundle_instead_of_a_deployment_file(machine: PartyMachine) -> None:
    """A bundle describes the ledger, so the holder of a certificate needs no other file of the operator."""
    (machine.folder / "bundle.json").write_bytes(
        replace(usage().bundle, chain=machine.chain.deployment.chain).to_bytes()
    )
    number = machine.recovery()
    here = ("--bundle", machine.folder / "bundle.json", "--rpc-url", machine.url)
    printed = machine.run("watch", machine.party.id, *here, "--once", code=1)
    assert [change["event"] for change in printed["changes"]] == ["AccountBound", "Proposed", "Confirmed"]
    assert machine.run("veto", str(number), "--key", machine.folder / "firm.key", *here)["vetoed"] == number


def test_the_watch_command_without_a_deployment_file_or_bundle_is_refused(machine: PartyMachine) -> None:
    printed = machine.run("watch", machine.party.id, "--rpc-url", machine.url, "--once", code=2)
    assert printed["error"] == "LEDGER_NOT_NAMED"


def test_a_party_can_veto_a_proposal_and_report_a_key_through_a_node_alone(machine: PartyMachine) -> None:
    """The party first reports its key as lost, and then vetoes a proposal with this key, which may still veto."""
    number = machine.recovery()
    reported = machine.direct("report", machine.party.id, machine.party.account, "--key", machine.folder / "firm.key")
    assert reported["reported"] == machine.party.account
    record = machine.chain.reader.account(machine.party.account)
    assert record is not None and record.reported_at == reported["at"]
    assert machine.direct("veto", str(number), "--key", machine.folder / "firm.key")["vetoed"] == number
    assert machine.chain.reader.proposal(number).state == "vetoed"
    again = machine.direct("veto", str(number), "--key", machine.folder / "firm.key", code=2)
    assert again["error"] == "PARTY_NOT_PENDING"


def test_a_strangers_veto_is_refused(machine: PartyMachine) -> None:
    number = machine.recovery()
    printed = machine.direct("veto", str(number), "--key", machine.folder / "friend.key", code=2)
    assert printed["error"] == "PARTY_NO_VETO"
    assert machine.chain.reader.proposal(number).state == "pending"


def test_another_account_can_send_an_act_that_a_phone_signed(machine: PartyMachine) -> None:
    """A P-256 key cannot send transactions. Another account sends the act that the phone signed, and cannot
    change it.
    """
    text = new_key(ES256)
    phone, path = signer_of_key(text), machine.key("phone", text)
    machine.chain.decide(calls.change_key(machine.party.no, phone.kid, proof=proof_of(machine, text)), PARTY, None)
    number, act = machine.recovery(), machine.folder / "act.json"
    assert machine.direct("veto", str(number), "--key", path, code=2)["error"] == "PAYER_MISSING"
    offline = ("--deployment", machine.folder / "deployment.json", "--out", act)
    assert machine.run("veto", str(number), "--key", path, *offline)["file"] == str(act)
    signed = json.loads(act.read_text())
    for change in ({"proposal": number + 1}, {"account": machine.party.account}, {"signature": "0" * 256}):
        (machine.folder / "changed.json").write_text(json.dumps(signed | change))
        sending = (
            "send",
            machine.folder / "changed.json",
            "--rpc-url",
            machine.url,
            "--payer",
            machine.folder / "friend.key",
        )
        assert machine.run(*sending, code=2)["error"] == "PARTY_SIGNATURE_INVALID"
    sent = machine.run("send", act, "--rpc-url", machine.url, "--payer", machine.folder / "friend.key")
    assert sent["vetoed"] == number and machine.chain.reader.proposal(number).state == "vetoed"
    machine.run("report", machine.party.id, machine.party.account, "--key", path, *offline)
    machine.run("send", act, "--rpc-url", machine.url, "--payer", machine.folder / "friend.key")
    record = machine.chain.reader.account(machine.party.account)
    assert record is not None and record.reported_at


def proof_of(machine: PartyMachine, text: str) -> str:
    """Return the proof of possession for a new key. The owner of the key makes it offline."""
    path = machine.key("proving", text)
    number = ("--number", str(machine.party.no))
    done = CliRunner().invoke(app, ["key", "prove", str(path), "--deployment", "deployment.json", *number, "--json"])
    printed: dict[str, str] = json.loads(done.stdout)
    assert printed["ledger"] == machine.chain.deployment.ledger
    return printed["proof"]


def test_an_sm2_key_cannot_sign_a_veto(machine: PartyMachine) -> None:
    path = machine.key("sm", new_key(SM2SM3))
    printed = machine.direct("veto", "1", "--key", path, code=2)
    assert printed["error"] == "ACT_SUITE_UNSUPPORTED"


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
def test_a_file_without_a_signed_act_is_refused(tmp_path: Path, text: str) -> None:
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
def test_a_changed_act_file_is_not_sent(machine: PartyMachine, change: dict[str, Any]) -> None:
    act = machine.folder / "act.json"
    machine.run("veto", "1", "--key", machine.folder / "firm.key", "--deployment", "deployment.json", "--out", act)
    act.write_text(json.dumps(json.loads(act.read_text()) | change))
    sending = ("send", act, "--rpc-url", machine.url, "--payer", machine.folder / "friend.key")
    assert machine.run(*sending, code=2)["error"] == "ACT_FILE_INVALID"


def test_an_error_names_the_options_that_are_missing(machine: PartyMachine) -> None:
    here = ("--deployment", "deployment.json")
    for arguments, code in (
        (("veto", "1", *here), "KEY_MISSING"),
        (("veto", "1", "--key", "firm.key", *here), "RPC_URL_MISSING"),
        (("veto", "1", "--key", "firm.key", "--out", "act.json"), "LEDGER_NOT_NAMED"),
        (("report", machine.party.id, "0x12", "--key", "firm.key", *here, "--out", "act.json"), "ACCOUNT_FORM"),
        (("send", "none.json", "--rpc-url", machine.url, "--payer", "friend.key"), "FILE_MISSING"),
    ):
        assert machine.run(*arguments, code=2)["error"] == code
