"""``pingzheng restore`` and ``log adopt``: restore a ledger, and recover lost entries from the bundles of holders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ledger.cli.shell.files import read_bounded
from ledger.cli.shell.group import Group
from ledger.cli.shell.output import AsJson, Home, confirm, emit, emit_rows, explain, stderr
from ledger.errors import InvalidInput, PingzhengError

if TYPE_CHECKING:
    from ledger.installation.recovery.adopting import Adopting
    from ledger.installation.recovery.restoring import Restored
    from ledger.installation.wiring import Ledger

DEFAULT = "from"
QUESTION = (
    "备份之后依法删除过的内容，是否都已再次删除？确认后，其余密封内容可再次打开。继续吗？ Have all texts that were "
    "erased since the backup been erased again? If you confirm, all other texts can be opened. Continue?"
)


class _Restore(TyperGroup):
    """The commands of ``pingzheng restore``. If the first word is not a command, it is a backup folder, and the command
    ``from`` is called.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """If the first word is a backup folder, insert ``from`` before that word. Then parse as Click does."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


app = Group(cls=_Restore)

Keys = Annotated[Path, typer.Option(help="Folder of the backup's keys; nothing in it is changed.", show_default=False)]
Archive = Annotated[
    Path | None,
    typer.Option(help="Folder of the archive. The restored ledger will archive its next batches there too."),
]
ChainFolder = Annotated[
    Path | None,
    typer.Option(help="Folder `chain` in the old ledger's home, if the chain is local and the folder still exists."),
]


@app.command(DEFAULT)
def restore_command(
    backup: Annotated[
        Path, typer.Argument(help="Folder of the backup's data; nothing in it is changed.", show_default=False)
    ],
    keys: Keys,
    archive: Archive = None,
    chain: ChainFolder = None,
    rpc_url: Annotated[
        str | None,
        typer.Option(help="JSON-RPC URL of a node, if the ledger's chain is not local; default: $PINGZHENG_RPC_URL."),
    ] = None,
    erasures: Annotated[
        Path | None,
        typer.Option(
            help="File with a list of erasures, used in addition to the archive's list; default: $PINGZHENG_ERASURES."
        ),
    ] = None,
    without_key: Annotated[
        list[str] | None, typer.Option(help="Id of a wrapping key that is lost for good. Repeat for each lost key.")
    ] = None,
    accept_chain_loss: Annotated[
        bool,
        typer.Option(
            "--accept-chain-loss", help="Restore the ledger even if its local chain has lost the last blocks."
        ),
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """用备份、归档和链，把账本恢复到新文件夹；链可以比备份新。Restore a ledger from backup, archive and chain into a
    new folder. The chain may be newer than the backup.

    You can leave out the word `from`. The ledger is restored completely or not at all. A batch of which only the root
    is left, on the chain, is listed as lost: its number is never used again, and `pingzheng log adopt` recovers its
    entries from holders' bundles. If there is no list of erasures, encrypted texts cannot be read until you run
    `pingzheng restore confirm-erasures`. Parties must sign in again, and programs need new API keys.

    示例 Example:  pingzheng restore from /backup/2026-11-30 --keys /vault/2026-11-30 --archive /archive --home new
    """
    from ledger.installation.recovery.restoring import Sources, restore
    from ledger.installation.settings import Settings

    _require_one_chain(chain, rpc_url)
    settings = Settings.at(home)
    url = rpc_url or (None if chain is not None else settings.rpc_url)
    settings = settings.model_copy(update={"rpc_url": url})
    sources = Sources(
        backup,
        keys,
        archive=archive,
        chain=chain,
        erasures=erasures or settings.erasures,
        accept_chain_loss=accept_chain_loss,
        without_keys=frozenset(without_key or ()),
    )
    with stderr.status("恢复 Restoring…"):
        restored = restore(settings, sources)
    emit(_shown(restored, settings.home, as_json), as_json, "已恢复 Restored")


def _require_one_chain(chain: Path | None, rpc_url: str | None) -> None:
    if chain is not None and rpc_url is not None:
        raise InvalidInput(
            "RESTORE_ONE_CHAIN",
            "A ledger has only one chain: a local chain, or the chain of the node that --rpc-url names.",
            where="--chain",
            hint="Give either --chain or --rpc-url.",
        )


@app.command("confirm-erasures")
def confirm_erasures(
    ledger: Ledger,
    erasures: Annotated[
        Path | None,
        typer.Option(
            help="File with the list of erasures. The erasures are repeated before texts can be read again.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """恢复账本时如未提供删除清单，加密内容不可读取。请先核对哪些内容已经删除，再用本命令恢复读取。If the ledger was
    restored without a list of erasures, encrypted texts cannot be read. Check what was erased, then allow reading again
    with this command.

    示例 Examples:  pingzheng restore confirm-erasures --erasures erased.jsonl · pingzheng restore confirm-erasures
    """
    from ledger.installation.recovery.reclosing import ClosedTexts

    confirm(QUESTION, yes or erasures is not None)
    closed = ClosedTexts(ledger.database, ledger.reader.chain.ledger, ledger.archiving)
    applied, texts = closed.confirm(erasures)
    closed.scrub()
    emit({"erasures": applied, "opened": texts}, as_json, "已确认 Confirmed")


def adopt(
    ledger: Ledger,
    bundles: Annotated[list[Path], typer.Argument(help="Files with bundles that holders sent.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """从持有人的凭证包收回丢失的条目；逐条与链上批次的根核对。Recover lost entries from holders' bundles. Each entry is
    first checked against the root of its batch on the chain.

    All entries of a bundle are recovered, or the bundle is refused. The exit code is 1 if a bundle was refused.

    示例 Example:  pingzheng log adopt bundle-1.json bundle-2.json
    """
    from ledger.proof.bundle import MAX_BUNDLE_BYTES

    refused = False
    adopting, rows = _adopting(ledger), []
    for path in bundles:
        try:
            found = adopting.adopt(read_bounded(path, MAX_BUNDLE_BYTES))
            rows.append(
                {
                    "certificate_no": found.certificate_no,
                    "entries": found.entries,
                    "batches_complete": found.completed,
                    "claims": len(found.claims),
                    "parties": found.parties,
                    "refused": None,
                }
            )
        except PingzhengError as error:
            refused = True
            rows.append(dict.fromkeys(_COLUMNS) | {"certificate_no": path.name, "refused": error.code})
            if not as_json:
                explain(error)
    emit_rows(rows, as_json, "收回 Taken back")
    if refused:
        raise typer.Exit(1)


def lost(ledger: Ledger, as_json: AsJson = False) -> None:
    """列出部分或全部条目丢失的批次：链上有这些批次，本账本没有这些条目。List the batches that are on the chain although
    some or all of their entries are missing in this ledger.

    示例 Example:  pingzheng log lost
    """
    from ledger.installation.recovery.adopting import missing_of

    with ledger.database.read() as session:
        emit_rows([asdict(each) for each in missing_of(session)], as_json, "丢失的批次 Lost batches")


_COLUMNS = ("certificate_no", "entries", "batches_complete", "claims", "parties", "refused")


def _adopting(ledger: Ledger) -> Adopting:
    from ledger.installation.recovery.adopting import Adopting

    return Adopting(
        ledger.database,
        ledger.sealer,
        ledger.reader,
        ledger.scenarios,
        ledger.installation.issuer,
        frozenset(ledger.archiving.erased()),
    )


def _shown(restored: Restored, home: Path, as_json: bool) -> dict[str, Any]:
    from ledger.installation.recovery.restoring import FROM_THE_BACKUP_ALONE

    rows = [asdict(each) for each in restored.log.lost]
    numbers = _ranges([seq for row in rows for seq in (row["first_seq"], row["last_seq"])], pairs=True)
    return {
        "home": str(home),
        "ledger": restored.ledger,
        "backup": restored.backup,
        "backup_made_at": restored.made_at,
        "chain": restored.chain,
        "batches": restored.log.batches,
        "batches_from_archive": restored.merged.batches,
        "batches_waiting": restored.log.waiting,
        "batches_damaged_in_archive": list(restored.merged.damaged),
        "entries": restored.log.entries,
        "lost_batches": rows if as_json else _numbered(_ranges([row["batch"] for row in rows])),
        "lost_numbers": numbers if as_json else _numbered(numbers),
        "lost_entries": sum(row["missing"] for row in rows),
        "numbers_skipped": restored.skipped,
        "erasures_applied": restored.erased,
        "texts_closed": restored.closed,
        "texts_without_key": dict(restored.unheld),
        "texts_damaged_in_archive": list(restored.texts_damaged),
        "parties_unknown": restored.parties_unknown,
        "assets_unknown": restored.assets_unknown,
        "only_from_backup": list(FROM_THE_BACKUP_ALONE),
        "drafts_left": [
            {"path": each.where, "holds": each.details["holds"], "hint": each.hint}
            if as_json
            else f"{each.where} ({', '.join(each.details['holds'])}): {each.hint}"
            for each in restored.drafts
        ],
    }


def _numbered(numbers: Sequence[str]) -> str | None:
    """Return the numbers with a label, such as ``编号 no. 4, 7-9``, so that readers do not take a number for a
    count.
    """
    return f"编号 no. {', '.join(numbers)}" if numbers else None


def _ranges(numbers: Sequence[int], *, pairs: bool = False) -> list[str]:
    """Return consecutive numbers as ranges, such as ``4-7``. With ``pairs``, ``numbers`` alternates the first and the
    last number of each range.
    """
    ends = list(zip(numbers[::2], numbers[1::2], strict=True)) if pairs else [(each, each) for each in numbers]
    found: list[tuple[int, int]] = []
    for first, last in ends:
        if found and found[-1][1] + 1 == first:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]
