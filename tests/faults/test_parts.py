"""Files that do not belong together are refused: an older database or chain, files of another ledger, or two homes of
one ledger.

Each case is refused with its own code, and nothing is written. The public status of a certificate is "active" only if
the chain shows this.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.errors import PingzhengError
from ledger.installation.wiring import Ledger
from tests.faults.acknowledged import Acts
from tests.faults.prepared_homes import ENDED, Prepared, copied, opened, settings_of
from tests.support.machine.command_line import cli
from tests.support.machine.fault_counts import Tally

CHAIN_BEHIND = ["CHAIN_BEHIND_DATABASE"]
DATABASE_BEHIND = ["DATABASE_BEHIND_CHAIN"]


def said(home: Path, request: str) -> list[str]:
    """Issue a certificate, and ask for the status of the ledger. Return the error codes of both commands."""
    issued, looked = cli(home, "certificate", "issue", request), cli(home, "status")
    return [issued.code or "ISSUED", *not_ready(looked.printed)] if looked.exit_code == 1 else codes(issued, looked)


def codes(*answers: Any) -> list[str]:
    return [answer.code or "FINE" for answer in answers]


def not_ready(checks: dict[str, Any]) -> list[str]:
    return [str(check.get("code", "WITHOUT_CODE")) for check in checks.values() if not check["ok"]]


def refused(act: Callable[[], Any]) -> str:
    try:
        act()
    except PingzhengError as error:
        return error.code
    return "DONE"


def mix(home: Path, newer: Path, *names: str) -> None:
    """Replace the named files of a home by the files of another home."""
    for name in names:
        shutil.copy2(newer / name, home / name)


def test_an_older_database_on_a_newer_chain_is_refused(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    mix(late, prepared.early, "ledger.db")
    fault = "an older database on a newer chain"
    tally.noticed(fault, said(late, prepared.waiting()[0]), DATABASE_BEHIND)
    states = {number: public_state(late, number) for number in prepared.numbers[:2]}
    assert states == {prepared.numbers[0]: "active", prepared.numbers[ENDED]: "revoked"}
    mix(late, prepared.late, "ledger.db")
    with opened(late) as ledger:
        acts.issue(ledger, prepared.waiting()[0])
        acts.check(ledger)


def test_an_older_chain_under_a_newer_database_is_refused(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    mix(late, prepared.early, "chain/journal.jsonl")
    tally.noticed("an older chain under a newer database", said(late, prepared.waiting()[0]), CHAIN_BEHIND)
    for number in prepared.numbers[3:]:
        assert public_state(late, number) != "active"
    mix(late, prepared.late, "chain/journal.jsonl")
    with opened(late) as ledger:
        acts.issue(ledger, prepared.waiting()[0])
        acts.check(ledger)


def public_state(home: Path, number: str) -> str:
    answer = cli(home, "certificate", "show", number)
    return answer.code or str(answer.printed["state"])


def test_a_journal_without_its_last_lines_is_refused(prepared: Prepared, late: Path, acts: Acts, tally: Tally) -> None:
    """However many lines the journal lost, the database shows that blocks are missing."""
    journal = late / "chain" / "journal.jsonl"
    whole = journal.read_bytes().splitlines(keepends=True)
    begun = len((prepared.early / "chain" / "journal.jsonl").read_bytes().splitlines())
    for kept in range(begun, len(whole)):
        journal.write_bytes(b"".join(whole[:kept]))
        fault = f"the journal lost its last {len(whole) - kept} lines"
        tally.noticed(fault, [cli(late, "certificate", "issue", prepared.waiting()[0]).code or "ISSUED"], CHAIN_BEHIND)
    journal.write_bytes(b"".join(whole))
    with opened(late) as ledger:
        acts.check(ledger)


def test_a_database_copied_without_its_write_ahead_log_is_refused(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    """The database was copied while the ledger was open, so the content of its write-ahead log is missing."""
    mix(late, prepared.cut, "ledger.db")
    fault = "a database copied while it was open, without its log"
    tally.noticed(fault, said(late, prepared.waiting()[0]), DATABASE_BEHIND)
    mix(late, prepared.late, "ledger.db")
    with opened(late) as ledger:
        acts.check(ledger)


ELSEWHERE = {
    "ledger.db": ["LEDGER_DIFFERS"],
    "deployment.json": ["DEPLOYMENT_CHANGED"],
    "chain/journal.jsonl": ["LEDGER_DIFFERS", "CHAIN_BEHIND_DATABASE"],
    "keys/accounts.json": ["KEY_NOT_HELD"],
    "keys/kek-1.key": ["SEALING_KEY_WRONG"],
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_file_of_another_ledger_is_refused(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally, name: str
) -> None:
    mix(late, prepared.other, name)
    tally.noticed(f"{name} of another ledger", [said(late, prepared.waiting()[0])[0]], ELSEWHERE[name])
    mix(late, prepared.late, name)
    with opened(late) as ledger:
        acts.issue(ledger, prepared.waiting()[0])
        acts.check(ledger)


def test_every_changed_value_of_the_deployment_file_is_detected(
    prepared: Prepared, late: Path, acts: Acts, tally: Tally
) -> None:
    """Each value is changed separately."""
    path = late / "deployment.json"
    original = path.read_text("utf-8")
    for place, changed in _changed(json.loads(original)):
        path.write_text(json.dumps(changed), "utf-8")
        code = cli(late, "certificate", "issue", prepared.waiting()[0]).code or "ISSUED"
        tally.noticed(f"{place} of the deployment is another", [code], ["DEPLOYMENT_CHANGED"])
    path.write_text(original, "utf-8")
    with opened(late) as ledger:
        acts.check(ledger)


def _changed(values: dict[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Return for each value its path, and a copy of all values in which only this value is changed."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += [(place, values | {name: inner}) for place, inner in _changed(value, f"{prefix}{name}.")]
        else:
            other = value + 1 if isinstance(value, int) else value[:-1] + ("1" if value[-1] == "0" else "0")
            found.append((f"{prefix}{name}", values | {name: other}))
    return found


def test_a_second_home_folder_on_the_same_chain_is_refused(
    prepared: Prepared, late: Path, tmp_path: Path, acts: Acts, tally: Tally
) -> None:
    """A copy of a home is opened beside the original. Only one of the two may continue to write."""
    twin = copied(late, tmp_path / "twin")
    first, second, third = prepared.waiting()[:3]
    with opened(late) as ledger:
        url = ledger.reader.connection.url
        with opened(twin, rpc_url=url) as shadow:
            acts.issue(ledger, first)
            seen = [refused(lambda: acts.issue(shadow, second)), *not_ready(shadow.inspection.readiness())]
            tally.noticed("two homes share one chain", seen, [*DATABASE_BEHIND, "LOG_FORKED"])
            acts.issue(ledger, third)
        code = refused(lambda: _open(twin, url))
        tally.noticed("two homes share one chain, opened again", [code], [*DATABASE_BEHIND, "LOG_FORKED", "DONE"])
        acts.check(ledger)


def _open(home: Path, url: str) -> None:
    with opened(home, rpc_url=url) as ledger:
        ledger.verification.new_nonce()


def test_a_node_restored_to_a_lower_height_is_refused(
    prepared: Prepared, late: Path, tmp_path: Path, acts: Acts, tally: Tally
) -> None:
    """An open ledger stops writing when its node has a shorter chain, and continues when the chain is complete."""
    folder = tmp_path / "node"
    shutil.copytree(late / "chain", folder)
    first, second = prepared.waiting()[:2]
    node = LocalNode(folder, program=JOURNAL).start()
    port = int(node.url.rpartition(":")[2])
    with opened(late, rpc_url=node.url) as ledger:
        acts.issue(ledger, first)
        node.stop()
        newer = (folder / "journal.jsonl").read_bytes()
        mix(folder, prepared.early / "chain", "journal.jsonl")
        with LocalNode(folder, program=JOURNAL, port=port):
            seen = [refused(lambda: acts.issue(ledger, second)), *not_ready(ledger.inspection.readiness())]
            tally.noticed("the node was restored to a lower height", seen, [*CHAIN_BEHIND, "CHAIN_HEAD_OLD"])
            _never_active(ledger, acts.issued[first])
        (folder / "journal.jsonl").write_bytes(newer)
        with LocalNode(folder, program=JOURNAL, port=port):
            # This is one turn of the background work; a server does several turns in a second.
            ledger.anchoring.tick()
            acts.issue(ledger, second)
            acts.check(ledger)
    assert settings_of(late).rpc_url is None


def _never_active(ledger: Ledger, number: str) -> None:
    try:
        assert ledger.verification.public_status(number)["state"] != "active"
    except PingzhengError as error:
        assert error.code in ("CHAIN_BEHIND_DATABASE", "CHAIN_BEHIND_SEEN")
