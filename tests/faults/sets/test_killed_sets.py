"""A process is killed (SIGKILL) in the middle of a set: inside a transaction, between two parts, or between the chain
and the database. Afterwards no acknowledged part is lost, and the repeated call completes the act: the result is the
same as without the kill.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from ledger.index.tables import EVENTS
from ledger.installation.wiring import Ledger
from ledger.store.tables import Base, Entry
from ledger.store.tables import Counter as Numbers
from tests.faults.killed_acts import arm
from tests.faults.prepared_homes import copied, opened
from tests.faults.sets.acts import SIZES, Report, SetOfAct
from tests.faults.sets.prepared_sets import prepared_sets

SEND: Final = "ledger.chain.sending.client:ChainClient.send"
RAW: Final = "ledger.chain.rpc.connection:Connection.send_raw"
RECORDING: Final = "ledger.certificates.recording"
USAGE: Final = "ledger.usage"
ASSETS: Final = "ledger.registration"
PARTIES: Final = "ledger.parties"
# The points at which a process is killed: the function, before or after it, and at which of its calls; then how far the
# act has come at this point (see ``SetOfAct.done``). A set has four items.
POINTS: Final[dict[str, list[tuple[str, str, int, Any]]]] = {
    "requests": [
        (f"{PARTIES}.statements:Intake.append_all", "after", 1, 0),
        (f"{USAGE}.requests:add_rows", "after", 1, 0),
        (f"{USAGE}.requests:Requests.submit", "after", 1, 4),
    ],
    "authorizations": [
        (f"{USAGE}.authorizations:add_rows", "after", 1, 0),
        (f"{USAGE}.answering.asked_requests:AskedRequests.answer", "after", 1, 0),
        (f"{USAGE}.authorizations:Authorizations.submit", "after", 1, 4),
    ],
    "provisions": [
        ("ledger.store.sealing:Sealer.add_all", "after", 1, 0),
        (f"{USAGE}.provisions:add_rows", "after", 1, 0),
        (f"{USAGE}.provisions:Provisions._record", "after", 1, 0),
        (f"{USAGE}.provisions:Provisions.submit", "after", 1, 4),
    ],
    "corrections": [
        (f"{USAGE}.provisions:Provisions._record", "after", 1, 0),
        (f"{USAGE}.withdrawals:Withdrawals._checked", "before", 1, 4),
        (RAW, "after", 1, 4),
        (f"{USAGE}.withdrawals:Withdrawals._checked", "before", 3, 4),
    ],
    "certificates": [
        (f"{USAGE}.issuing.issuance:next_numbers", "after", 1, 0),
        ("ledger.store.log:append_numbered", "after", 1, 0),
        (f"{RECORDING}:add_rows", "after", 1, 0),
        (f"{USAGE}.issuing.issuance:change_rows", "after", 1, 0),
        (f"{USAGE}.issuing.issuance:Issuance.issue", "after", 1, 4),
    ],
    "anchor": [
        ("ledger.store.log:close_batch", "after", 2, (0, 0)),
        ("ledger.log.anchoring:Anchoring._close", "after", 1, (0, 0)),
        (RAW, "after", 1, (0, 2)),
        ("ledger.log.anchoring:Anchoring._anchor", "after", 1, (2, 2)),
        ("ledger.log.anchoring:anchor_of", "after", 2, (2, 4)),
    ],
    "withdrawals": [
        (SEND, "after", 1, 0),
        (f"{USAGE}.withdrawals:revoke_anchored", "before", 2, 2),
        (f"{USAGE}.withdrawals:Withdrawals.withdraw", "after", 2, 2),
    ],
    "batches": [
        # Each step handles a part (two items) of every batch, in this order: requests, authorizations, provisions,
        # certificates, withdrawals. So from call 6 on, second parts are marked.
        *((f"{USAGE}.batches.batches:Batches.mark", "before", call, 2 * (call - 1)) for call in (6, 7, 8, 9, 10)),
        (f"{USAGE}.batches.batches:Batches._drop", "after", 7, 12),
        (f"{USAGE}.withdrawals:Withdrawals.withdraw", "after", 3, 18),
    ],
    "onboard": [
        (f"{PARTIES}.newcomers:_add", "after", 1, (0, 0)),
        (f"{PARTIES}.onboarding:Onboarding._register_all", "before", 1, (4, 0)),
        (f"{PARTIES}.party_lists:RegistrationLists.keep", "after", 1, (4, 0)),
        (f"{PARTIES}.proposals.proposals:Proposals.propose", "after", 1, (4, 0)),
        (RAW, "after", 2, (4, 2)),
        (f"{PARTIES}.onboarding:change_rows", "after", 2, (4, 2)),
        (f"{PARTIES}.onboarding:Onboarding._register", "after", 1, (4, 2)),
        (f"{PARTIES}.party_lists:RegistrationLists.keep", "after", 2, (4, 2)),
        (f"{PARTIES}.proposals.proposals:Proposals.propose", "after", 2, (4, 2)),
        (f"{PARTIES}.onboarding:Onboarding._register", "after", 2, (4, 4)),
    ],
    "register": [
        (f"{ASSETS}.submissions:Submissions.write", "after", 2, (2, 0)),
        (f"{ASSETS}.registrations:Registrations.submit", "after", 1, (4, 0)),
        (RAW, "after", 1, (4, 2)),
        (f"{ASSETS}.registrations:Registrations._register", "after", 2, (4, 4)),
    ],
    "accept": [(RAW, "after", 1, 2), (f"{ASSETS}.review:Review._send", "after", 2, 4)],
    "review": [(f"{ASSETS}.review:Review._send", "before", 2, 2)],
    "notice": [
        (f"{ASSETS}.review:Review._record_notice", "after", 1, 0),
        (RAW, "after", 1, 2),
        (f"{ASSETS}.review:Review._record_notice", "after", 2, 2),
    ],
    "confirm": [
        (RAW, "after", 1, (0, 2)),
        (f"{ASSETS}.certificates:add_certificates", "after", 2, (1, 2)),
        (f"{ASSETS}.certificates:RegistrationCertificates.settle", "after", 1, (2, 2)),
        (RAW, "after", 2, (2, 4)),
    ],
    "change": [
        (f"{ASSETS}.certificates:add_certificates", "after", 2, (5, 2, 0)),
        ("ledger.certificates.status:CertificateStatus.supersede", "before", 1, (6, 2, 0)),
        ("ledger.certificates.status:CertificateStatus.supersede", "after", 1, (6, 2, 1)),
        ("ledger.certificates.status:CertificateStatus.supersede", "before", 3, (8, 4, 2)),
    ],
    "revoke": [
        (RAW, "after", 1, 2),
        (f"{USAGE}.revocations:Revocations._revoke_word", "before", 2, 2),
        (RAW, "after", 2, 4),
    ],
    "erase": [
        ("ledger.store.scrubbing:_log_emptied", "after", 1, 4),
        ("ledger.store.scrubbing:_Gaps.find", "after", 1, 4),
        ("ledger.store.scrubbing:_Gaps.clear", "after", 1, 4),
        ("ledger.store.scrubbing:_cleared", "after", 1, 4),
        ("ledger.store.scrubbing:_Gaps.clear", "after", 2, 4),
        ("ledger.store.database:Database.scrub", "after", 1, 4),
    ],
}
CASES: Final = [(act, place) for act, points in POINTS.items() for place in range(len(points))]
Facts = dict[str, int]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a home with the sets, which only this worker uses. A separate process keeps the home's node running."""
    base = tmp_path_factory.getbasetemp()
    # One set of each act is for the call that is not killed.
    counts = {act: len(points) + 1 for act, points in POINTS.items()}
    made = prepared_sets((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sets", counts)
    home = copied(made, tmp_path_factory.mktemp("own") / "home")
    ready, end = os.pipe(), os.pipe()
    keeper = os.fork()
    if keeper == 0:
        os.close(end[1])
        try:
            with opened(home):
                os.write(ready[1], b"1")
                os.read(end[0], 1)
        finally:
            os._exit(0)
    os.close(ready[1])
    os.close(end[0])
    assert os.read(ready[0], 1), "the node did not start"
    yield home
    os.close(end[1])
    os.waitpid(keeper, 0)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in SIZES.items():
        monkeypatch.setattr(name, size)


@pytest.fixture(scope="session")
def undisturbed(home: Path) -> Any:
    """Return a function that does an act without a kill, and returns the act's changes and its number of results."""

    @cache
    def changed(act: str) -> tuple[Facts, int]:
        with opened_set(home, act, len(POINTS[act])) as whole:
            before, returned = facts(whole.ledger), whole.do()
            return difference(before, settled(whole.ledger)), len(set(returned))

    return changed


@pytest.mark.parametrize(
    "act, place", CASES, ids=[f"{act}-{'-'.join(map(str, POINTS[act][place][:3]))}" for act, place in CASES]
)
def test_a_set_whose_process_was_killed_is_completed_by_a_repeated_call(
    home: Path, undisturbed: Any, act: str, place: int
) -> None:
    changes, count = undisturbed(act)
    before, acknowledged = killed(home, act, place)
    reported: list[str] = []
    with opened_set(home, act, place, reported.append) as after:
        done, results = after.done(), after.results()
        assert done == POINTS[act][place][3]
        assert sum(int(line.split()[1]) for line in acknowledged if line.startswith("done ")) <= least(done)
        returned = after.do()
        assert after.do() == returned
        assert set(results) <= set(returned) and len(set(returned)) == count
        assert difference(before, settled(after.ledger)) == changes
    gone = {value for line in (*acknowledged, *reported) if line.startswith("gone ") for value in line.split()[1:]}
    files = b"".join(file.read_bytes() for file in home.rglob("*.db*"))
    assert not [value for value in gone if bytes.fromhex(value) in files]


@contextmanager
def opened_set(home: Path, act: str, place: int, report: Report = lambda _: None) -> Iterator[SetOfAct]:
    """Open the ledger in this home, for one act on one of its sets."""
    changes = {"batch_size": 2} if act == "anchor" else {}
    with opened(home, **changes) as ledger:
        given = json.loads((home / "given.json").read_text("utf-8"))
        yield SetOfAct(ledger, given, act, given[act][place], report)


def killed(home: Path, act: str, place: int) -> tuple[Facts, list[str]]:
    """Do the act in a child process that must be killed at the point. Return the facts before the act, and what the
    child reported before it was killed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            # The child reports through a pipe, because pytest captures standard output.
            with os.fdopen(writing, "w") as lines, opened_set(home, act, place) as whole:
                before = replace(whole, report=lambda line: print(line, file=lines, flush=True))
                before.report(json.dumps(facts(before.ledger)))
                arm(*POINTS[act][place][:3])
                before.do()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        first, *reported = lines.read().split("\n")
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "the point was not reached"
    return json.loads(first), [line for line in reported if line]


def least(done: Any) -> int:
    """Return how many items have the whole effect."""
    return min(done) if isinstance(done, tuple) else int(done)


def settled(ledger: Ledger) -> Facts:
    """Anchor what waits, and return the facts. Check that the index is the same after it is rebuilt."""
    ledger.anchoring.flush()
    found = facts(ledger)
    rows = ledger.follower.snapshot_rows()
    ledger.follower.rebuild()
    assert ledger.follower.snapshot_rows() == rows
    assert ledger.inspection.head()["complete"]
    return found


def facts(ledger: Ledger) -> Facts:
    """Return the rows of each table, the numbers taken, the entries of each type and the events on the chain."""
    ledger.follower.sync()
    kinds = select(EVENTS.c.contract, EVENTS.c.name, func.count()).group_by(EVENTS.c.contract, EVENTS.c.name)
    with ledger.database.read() as session:
        found = {
            f"rows of {name}": session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }
        found |= {f"counter {row.name}": row.value for row in session.scalars(select(Numbers))}
        found |= Counter(f"entry {kind}" for kind in session.scalars(select(Entry.type)))
        seqs = list(session.scalars(select(Entry.seq).order_by(Entry.seq)))
        found |= {f"event {contract} {name}": count for contract, name, count in session.execute(kinds)}
    assert seqs == list(range(len(seqs)))
    return found


def difference(before: Facts, after: Facts) -> Facts:
    """Return what was added to each number."""
    return {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
