"""Sign acts with a party's own key, and print the result. Some acts first become proposals that another party must
confirm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.cli.shell.files import private_key_of
from ledger.cli.shell.output import emit, emit_rows, local_time
from ledger.errors import Conflict

if TYPE_CHECKING:
    from ledger.parties.proposals.proposals import Proposal
    from ledger.parties.roles import Actor

T = TypeVar("T")

Authority = Annotated[str, typer.Option(help="The acting party; it must have the role of authority or supervisor.")]
OwnKey = Annotated[
    Path | None,
    typer.Option(help="The acting party's private key file; needed if this installation does not keep the key."),
]
PENDING, CARRIED_OUT = "pending", "carried_out"
# Arguments of contract calls that have these names are times in seconds UTC, except that in some calls `to` is a party.
_TIMES = ("from", "to", "compromisedAt")


def signed_by(key: Path | None, actor: Actor, act: Callable[[Actor], T]) -> T:
    """Call ``act`` and return its result. If the act needs the party's signature, sign with ``key`` and call ``act``
    again.
    """
    try:
        return act(actor)
    except Conflict as error:
        if error.code != "SIGNATURE_REQUIRED" or key is None:
            raise
        signed = sign_request(ForwardRequest(error.details["typed_data"]), private_key_of(key))
        return act(replace(actor, signed=signed))


def emit_done(proposal: Proposal | None, done: Callable[[], Mapping[str, Any]], as_json: bool, title: str = "") -> None:
    """If the act has taken effect, print what ``done()`` returns. Otherwise print the proposal that waits."""
    if proposal is None or proposal.state == CARRIED_OUT:
        emit(done(), as_json, title)
    else:
        emit_proposal(proposal, as_json)


def emit_proposal(row: Proposal, as_json: bool) -> None:
    """Print one proposal, and what must happen next."""
    shown = proposal_shown(row)
    if not as_json:
        shown["arguments"] = _in_words(row.arguments)
    emit(shown, as_json, f"提案 Proposal {row.no}")


def emit_proposals(rows: Sequence[Proposal], as_json: bool, title: str) -> None:
    """Print many proposals: as one JSON array, or each as a table."""
    if as_json or not rows:
        emit_rows([proposal_shown(row) for row in rows], as_json, title)
        return
    for row in rows:
        emit_proposal(row, as_json)


def proposal_shown(row: Proposal) -> dict[str, Any]:
    """Return the members of a proposal that are printed."""
    return {
        "proposal": row.no,
        "state": row.state,
        "act": row.kind,
        "arguments": row.arguments,
        "concerned": row.concerned,
        "by": row.by,
        "confirmed_by": row.confirmed_by,
        "at": row.at,
        "ready_at": row.ready_at,
        "expires_at": row.expires_at,
        "ended_at": row.ended_at,
        "how_to_stop": row.how_to_stop,
        "next": next_step(row),
    }


def _in_words(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call for people: times are in Shanghai time, and proofs of possession are left out."""
    timed = {name: local_time(arguments[name]) for name in _TIMES if isinstance(arguments.get(name), int)}
    return {name: value for name, value in {**arguments, **timed}.items() if name != "proof"}


def next_step(row: Proposal) -> str | None:
    """Return what must happen next before a pending proposal takes effect; None if the proposal is not pending."""
    if row.state != PENDING:
        return None
    if row.role and row.confirmed_by is None:
        return (
            f"请由另一个同类机构确认：`pingzheng keys confirm {row.no} --by <机构>`。"
            f" Another {row.role} must confirm it: `pingzheng keys confirm {row.no} --by <party>`."
        )
    return (
        f"到生效时间后，由运行中的服务自动执行；也可执行：`pingzheng keys carry-out {row.no}`。"
        f" After its waiting time a running service carries it out, or run `pingzheng keys carry-out {row.no}`."
    )
