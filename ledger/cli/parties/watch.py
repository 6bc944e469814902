"""``pingzheng keys watch``: shows changes of a party's keys, read from any node of the chain without the service."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.chain.contracts.whole_file import write_whole
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.proposals import ProposedCall
from ledger.chain.watching import KeyChange, PendingProposal, key_changes, pending
from ledger.cli.parties.direct_acts import reader_at
from ledger.cli.shell.files import read_text
from ledger.cli.shell.naming import PARTY_ID
from ledger.cli.shell.output import EXIT_NOT_VALID, AsJson, emit_rows, labels, print_json, stderr
from ledger.domain.parties import Role
from ledger.errors import ChainUnavailable, InvalidInput, NotFound

MAX_STATE_BYTES = 4096
# Errors of a node after which the watch asks the node again. Any other error ends the watch, because it would occur
# again.
AWAY = frozenset({"CHAIN_UNREACHABLE", "NODE_ANSWER_INVALID", "NODE_RATE_LIMITED"})
DeploymentFile = Annotated[
    Path | None, typer.Option(help="The operator's deployment.json, which names the chain and its contracts.")
]
BundleFile = Annotated[Path | None, typer.Option(help="A bundle that names the ledger, instead of --deployment.")]
NodeUrl = Annotated[
    str, typer.Option(help="Address of a node of the chain.", envvar="PINGZHENG_RPC_URL", show_default=False)
]

UNKNOWN_CALL = "未知调用 unknown call"
BY_HOLDER = (
    "请主管部门取消此提案；你方有有效的密钥时，提案不能执行。"
    " Ask an authority to cancel the proposal; it is refused while the holder has an active key."
)
BY_OFFICE = "请主管部门取消此提案。 Ask an authority to cancel the proposal: pingzheng keys cancel {no}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the watch stores between two runs: the ledger, the party's number, and the last block that it has read."""

    ledger: str
    party: int
    block: int

    @classmethod
    def read(cls, path: Path, ledger: str, party: int) -> Seen:
        """Read the state file. If there is no file, the state is that no block has been read.

        Raises ``InvalidInput`` ``WATCH_STATE_INVALID``.
        """
        if not path.exists():
            return cls(ledger, party, -1)
        try:
            found = cls(**json.loads(read_text(path, MAX_STATE_BYTES)))
        except (ValueError, TypeError):
            found = None
        if found is None or (found.ledger, found.party) != (ledger, party) or type(found.block) is not int:
            raise InvalidInput(
                "WATCH_STATE_INVALID",
                "The file does not record an earlier watch of this party on this ledger.",
                where=str(path),
                hint="Give another --state, or move the file away to see all changes from the beginning.",
            )
        return found


def watch(
    party: Annotated[str, typer.Argument(help="Party id, or an account of the party.", show_default=False)],
    rpc_url: NodeUrl,
    deployment: DeploymentFile = None,
    bundle: BundleFile = None,
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="Read the chain once and exit; the exit code is 1 if a proposal about the party is pending.",
        ),
    ] = False,
    every: Annotated[int, typer.Option(min=1, max=3600, help="Seconds between two reads of the chain.")] = 10,
    state: Annotated[
        Path | None,
        typer.Option(help="File that stores which block was read last; default: keys-watch-<number>.json."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """从任一节点监视参与方密钥的变化，以及有关提案，不经过服务；按 Ctrl-C 结束。Watch a party's keys and the proposals
    about the party, from any node and without the service; stop with Ctrl-C.

    The command shows the changes since the last read, then every new change. Run it with --once from a scheduler, on a
    machine of your own: a thief who wants to replace your key must wait for days, and you can veto the change during
    that time.

    示例 Examples:  pingzheng keys watch <party> --deployment deployment.json --rpc-url http://node:8545 · pingzheng
    keys watch <party> --bundle bundle.json --rpc-url http://node:8545 --once
    """
    reader = reader_at(rpc_url, deployment, bundle)
    number = _number_of(reader, party)
    path = state or Path(f"keys-watch-{number}.json")
    seen = Seen.read(path, reader.chain.ledger, number)
    if once:
        waiting = _look_once(reader, seen, path, as_json)
    else:
        _follow(reader, seen, path, every, as_json)
    if once and waiting:
        raise typer.Exit(EXIT_NOT_VALID)


def _look_once(reader: ChainReader, seen: Seen, path: Path, as_json: bool) -> bool:
    changes, after = _news(reader, seen)
    open_ones = pending(reader, seen.party)
    block = reader.latest()
    running = reader.running(block=block.number)
    shown = [_pending_shown(each, block.time - running) for each in open_ones]
    if as_json:
        print_json({"block": after.block, "changes": [_change_json(each) for each in changes], "pending": shown})
    else:
        emit_rows([_change_shown(each) for each in changes], as_json, "变化 Changes")
        emit_rows(shown, as_json, "待生效 Pending")
    _write(after, path)
    return bool(shown)


def _follow(reader: ChainReader, seen: Seen, path: Path, every: int, as_json: bool) -> None:
    """Show changes until Ctrl-C. If the node is unavailable, try again later."""
    if not as_json:
        stderr.print(f"监视中，按 Ctrl-C 结束 Watching party {seen.party}; stop with Ctrl-C.", highlight=False)
    try:
        while True:
            try:
                changes, seen = _news(reader, seen)
            except ChainUnavailable as failure:
                if failure.code not in AWAY:
                    raise
                stderr.print(
                    f"节点暂不可用，稍后再试 The node is unavailable ({failure.code}); trying again.", highlight=False
                )
                changes = []
            for each in changes:
                _print_line(each, as_json)
            _write(seen, path)
            time.sleep(every)
    except KeyboardInterrupt:
        _write(seen, path)
        stderr.print("\n已停止，下次从此处继续。 Stopped; the next run continues from here.", highlight=False)


def _news(reader: ChainReader, seen: Seen) -> tuple[list[KeyChange], Seen]:
    """Return the changes since the last read, and the new state to store.

    The number of the newest block is read before the changes. So a change in a block after that number is found by the
    next read at the latest.
    """
    newest = reader.block_number()
    with stderr.status("读取链上记录 Reading the chain…"):
        changes = key_changes(reader, seen.party, max(seen.block, reader.deployment.deploy_block - 1))
    last = max([newest, *(change.block for change in changes)])
    return changes, Seen(seen.ledger, seen.party, last)


def _number_of(reader: ChainReader, name: str) -> int:
    """Return the number of the party that is given by its id or by one of its accounts. Raises ``NotFound``
    ``PARTY_UNKNOWN``.
    """
    if PARTY_ID.fullmatch(name):
        number = reader.party_no(name)
    else:
        found = reader.account(name) if name.startswith("0x") else None
        number = found.party_no if found else 0
    if not number:
        raise NotFound("PARTY_UNKNOWN", "There is no such party or account on the chain.", where=name[:64])
    return number


def _change_json(change: KeyChange) -> dict[str, Any]:
    return asdict(change) | {"call": None if change.call is None else _call_json(change.call)}


def _call_json(call: ProposedCall) -> dict[str, Any]:
    shown = {"act": call.kind, "readable": call.call is not None, "arguments": dict(call.arguments)}
    return shown if call.call is not None else shown | {"selector": call.selector, "target": call.target}


def _change_shown(change: KeyChange) -> Mapping[str, Any]:
    shown = {
        "at": change.at,
        "event": labels("key_event").get(change.event, change.event),
        "account": change.account,
        "proposal": change.proposal,
        "by": change.by,
        "state": change.state,
        "what": None if change.call is None else _call_shown(change.call),
    }
    if change.call is not None and change.call.call is None and change.proposal is not None:
        shown["how_to_stop"] = _how_to_stop(change.proposal, change.call)
    return shown


def _call_shown(call: ProposedCall) -> dict[str, Any]:
    if call.call is not None:
        return {"act": call.kind, **call.arguments}
    return {"act": f"{UNKNOWN_CALL} ({call.kind})", "selector": call.selector, "target": call.target, **call.arguments}


def _how_to_stop(proposal: int, call: ProposedCall | None) -> str:
    """Return a text that explains how to stop a proposal.

    The text depends only on the function that is called. So it is right even if the arguments of the call cannot be
    read.
    """
    if call is not None and call.changes_key:
        return f"pingzheng keys veto {proposal} --key … --rpc-url … --deployment …"
    if call is not None and call.kind == "reassign":
        return BY_HOLDER
    return BY_OFFICE.format(no=proposal)


def _pending_shown(pending: PendingProposal, paused: int) -> dict[str, Any]:
    """Return a pending proposal as text for people. The shown times assume that the ledger is not paused again."""
    row = pending.record
    return {
        "proposal": row.no,
        "what": None if pending.call is None else _call_shown(pending.call),
        "role": "" if not row.role else next(role.value for role in Role if row.role & Role.mask([role])),
        "by": row.by,
        "confirmed_by": row.confirmed_by or None,
        "at": row.at,
        "ready_at": row.ready + paused,
        "expires_at": row.expires + paused,
        "how_to_stop": _how_to_stop(row.no, pending.call),
    }


def _print_line(change: KeyChange, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_change_json(change), ensure_ascii=False))
        return
    emit_rows([_change_shown(change)], as_json, "变化 Change")


def _write(seen: Seen, path: Path) -> None:
    write_whole(path, json.dumps(asdict(seen)) + "\n")
