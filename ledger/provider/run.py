"""A provider's round: carry out erasures, send waiting answers, and answer new tasks.

A round can be interrupted anywhere; the next round continues the work.
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
# Codes of final refusals: the platform will never accept the answer. After any other code the answer is sent again.
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
# A function that returns the connector for a scenario and a source; raises ``NotFound`` ``SOURCE_UNKNOWN``.
Sources = Callable[[str, str], Connector]


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of one task: the result that the platform has received, or an error.

    ``about`` names the authorization, or the provision if a provision was signed. ``supply`` is the signed answer. If
    the answer was signed in this round, ``authorization`` is the id of its authorization.
    """

    about: str
    result: str | None
    error: PingzhengError | None
    supply: Supply | None = None
    authorization: str | None = None


def go_round(provider: Provider, platform: Platform, sources: Sources) -> Iterator[Done]:
    """Do one round: carry out erasures, send waiting answers, and answer all waiting tasks; yield the outcome of each
    task.

    Raises ``Misconfigured`` ``PLATFORM_…`` or ``ChainUnavailable`` if the platform or the node cannot be reached;
    signed answers stay in the records for the next round.
    """
    carry_out_erasures(provider, platform)
    yield from send_waiting(provider, platform)
    # An answer that the platform refused, but not finally, is not sent a second time in this round.
    tried = frozenset(supply.digest for supply in provider.answers.waiting())
    after: str | None = None
    while True:
        page = platform.tasks(after)
        for chunk in _chunks(page.tasks):
            yield from answer(provider, platform, sources, chunk, tried=tried)
        after = page.after
        if after is None:
            return


def carry_out_erasures(provider: Provider, platform: Platform) -> int:
    """Carry out the erasures that the platform has recorded since the last round; return how many answers changed."""
    touched = 0
    after = provider.answers.seen(_ERASURES)
    while True:
        notices = platform.erasures(after)
        touched += provider.answers.erase(notices.entries)
        if notices.after is None or notices.after == after:
            return touched
        after = provider.answers.seen(_ERASURES, notices.after)


def send_waiting(provider: Provider, platform: Platform) -> Iterator[Done]:
    """Send the signed answers that the platform has not acknowledged."""
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
    """Answer these tasks and submit the answers, except answers whose statement digest is in ``tried``.

    ``correcting`` is explained in ``Inquiry``.
    """
    outcomes = sign(provider, sources, tasks, correcting)
    for task, outcome in zip(tasks, outcomes, strict=True):
        if isinstance(outcome, PingzhengError):
            yield unanswered(task, outcome)
    signed = [outcome for outcome in outcomes if isinstance(outcome, Supply)]
    yield from _send(provider, platform, [supply for supply in signed if supply.digest not in tried], tasks)


def sign(provider: Provider, sources: Sources, tasks: Sequence[Task], correcting: bool = False) -> list[Outcome]:
    """Sign and store answers to these tasks, and return them; raises the errors of ``Provider.answer_many``."""
    return provider.answer_many([Inquiry(task, _finding(sources, task), correcting) for task in tasks])


def unanswered(task: Task, error: PingzhengError) -> Done:
    """Return the outcome of a task without an answer."""
    return Done(f"authorization {task.authorization['id']}", None, error)


def answered(supply: Supply, refusal: PingzhengError | None, tasks: Sequence[Task] = ()) -> Done:
    """Return the outcome of a task with a signed answer. It contains the platform's refusal, if there is one."""
    names = {task.reference: str(task.authorization["id"]) for task in tasks}
    result = None if refusal else supply.entry["result"]
    return Done(f"provision {supply.entry['id']}", result, refusal, supply, names.get(supply.entry["authorization"]))


def settle(answers: AnswerStore, received: Iterable[str], refused: Mapping[str, str]) -> int:
    """Record which answers (statement digests) the platform received, and which it finally refused (with codes).

    Returns how many answers are no longer waiting. An answer that was refused, but not finally, will be sent again.
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
