"""A provider's round: obey erasures, send what still waits, answer what is asked.

It can stop anywhere and begin again.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from ledger.connectors.answers import Connector
from ledger.errors import PingzhengError
from ledger.provider.answer_store import AnswerStore
from ledger.provider.platform import Platform
from ledger.provider.provider import Inquiry, Outcome, Provider
from ledger.provider.supply import Supply
from ledger.provider.task import Task

CHUNK: Final = 20
# The platform will never take the answer: it is over, or was answered otherwise. Anything else is tried again.
FINAL: Final = frozenset(
    {
        "ALREADY_ANSWERED",
        "ALREADY_SUPPLIED",
        "AUTHORIZATION_NOT_ACTIVE",
        "AUTHORIZATION_UNKNOWN",
        "NOTHING_TO_CORRECT",
        "REQUEST_NOT_AUTHORIZED",
        "SCENARIO_CHANGED",
    }
)
_ERASURES: Final = "erasures"
T = TypeVar("T")
# The connector of a scenario's source, both by name; raises ``NotFound`` ``SOURCE_UNKNOWN``.
Sources = Callable[[str, str], Connector]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one task: the result that the platform has now, or the error that speaks against it.

    ``about`` names the authorization, or the provision once it is signed. ``supply`` is the answer that was signed, and
    ``authorization`` the id of its task, where it was answered just now.
    """

    about: str
    result: str | None
    error: PingzhengError | None
    supply: Supply | None = None
    authorization: str | None = None


def go_round(provider: Provider, platform: Platform, sources: Sources) -> Iterator[Done]:
    """Answer everything that waits, and say of each what became of it.

    Raises ``Misconfigured`` ``PLATFORM_…`` and ``ChainUnavailable`` where one of them cannot be reached: what was
    signed waits in the records for the next round.
    """
    obey(provider, platform)
    yield from send_waiting(provider, platform)
    # What was refused just now, and not for good, is not sent twice in one round.
    tried = frozenset(supply.digest for supply in provider.answers.waiting())
    after: str | None = None
    while True:
        page = platform.tasks(after)
        for chunk in _chunks(page.tasks):
            yield from answer(provider, platform, sources, chunk, tried=tried)
        after = page.after
        if after is None:
            return


def obey(provider: Provider, platform: Platform) -> int:
    """Obey the erasures since the last time; returns how many answers they touched."""
    touched = 0
    after = provider.answers.seen(_ERASURES)
    while True:
        notices = platform.erasures(after)
        touched += provider.answers.erase(notices.entries)
        if notices.after is None or notices.after == after:
            return touched
        after = provider.answers.seen(_ERASURES, notices.after)


def send_waiting(provider: Provider, platform: Platform) -> Iterator[Done]:
    """Send again what was signed and not acknowledged."""
    for chunk in _chunks(provider.answers.waiting()):
        yield from _send(provider, platform, chunk)


def answer(
    provider: Provider,
    platform: Platform,
    sources: Sources,
    tasks: Sequence[Task],
    *,
    tried: Container[str] = frozenset(),
    correcting: bool = False,
) -> Iterator[Done]:
    """Answer these tasks and hand the answers in, but for those ``tried`` before, by statement digest.

    ``correcting`` as in ``Inquiry``.
    """
    outcomes = sign(provider, sources, tasks, correcting)
    for task, outcome in zip(tasks, outcomes, strict=True):
        if isinstance(outcome, PingzhengError):
            yield unanswered(task, outcome)
    signed = [outcome for outcome in outcomes if isinstance(outcome, Supply)]
    yield from _send(provider, platform, [supply for supply in signed if supply.digest not in tried], tasks)


def sign(provider: Provider, sources: Sources, tasks: Sequence[Task], correcting: bool = False) -> list[Outcome]:
    """The signed answers, which wait in the records from now on; raises as ``Provider.answer_many``."""
    return provider.answer_many([Inquiry(task, _finding(sources, task), correcting) for task in tasks])


def unanswered(task: Task, error: PingzhengError) -> Done:
    """That a task has no answer."""
    return Done(f"authorization {task.authorization['id']}", None, error)


def answered(supply: Supply, refusal: PingzhengError | None, tasks: Sequence[Task] = ()) -> Done:
    """That a task of these has a signed answer, and what the platform has against it."""
    names = {task.reference: str(task.authorization["id"]) for task in tasks}
    result = None if refusal else supply.entry["result"]
    return Done(f"provision {supply.entry['id']}", result, refusal, supply, names.get(supply.entry["authorization"]))


def settle(answers: AnswerStore, received: Iterable[str], refused: Mapping[str, str]) -> int:
    """Note what the platform has, by statement digest, and what it refuses for good, with the code.

    Returns how many answers wait no longer; what was refused otherwise is sent again.
    """
    final = [(digest, code) for digest, code in refused.items() if code in FINAL]
    return answers.received(received) + answers.refused(final)


def _finding(sources: Sources, task: Task) -> Callable[[], Connector]:
    return lambda: sources(task.authorization["scenario"], task.authorization["source"])


def _send(
    provider: Provider, platform: Platform, supplies: Sequence[Supply], tasks: Sequence[Task] = ()
) -> Iterator[Done]:
    if not supplies:
        return
    refusals = platform.submit(supplies)
    sent = list(zip(supplies, refusals, strict=True))
    received = [supply.digest for supply, refusal in sent if refusal is None]
    settle(provider.answers, received, {supply.digest: refusal.code for supply, refusal in sent if refusal is not None})
    for supply, refusal in sent:
        yield answered(supply, refusal, tasks)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    yield from (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
