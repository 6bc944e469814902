"""``pingzheng restore`` and ``log adopt``: a ledger put together again, and what holders bring back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ledger.cli.shell.files import read_bounded
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, confirm, emit, emit_rows, errors_explained, explain, stderr
from ledger.errors import InvalidInput, PingzhengError

if TYPE_CHECKING:
    from ledger.installation.recovery.adopting import Adopting
    from ledger.installation.recovery.restoring import Restored
    from ledger.installation.wiring import Ledger

DEFAULT = "from"
QUESTION = (
    "确认备份之后已删除的内容均已列出：其余内容将可再次打开。继续吗？ Has everything that was erased since the backup "
    "been erased again? All other texts open after this. Go on?"
)


class _Restore(TyperGroup):
    """What is no command of the group is the folder of a backup."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Click asks for it."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Restore, no_args_is_help=True)


@app.command(DEFAULT)
def restore_command(
    backup: Annotated[Path, typer.Argument(help="Folder of the backup's data.", show_default=False)],
    keys: Annotated[Path, typer.Option(help="Folder of the backup's keys.", show_default=False)],
    archive: Annotated[
        Path | None, typer.Option(help="Folder of the archive; the restored ledger goes on archiving there.")
    ] = None,
    chain: Annotated[
        Path | None,
        typer.Option(help="Folder `chain` of the old home, if the chain was a local one and is still there."),
    ] = None,
    rpc_url: Annotated[
        str | None, typer.Option(help="JSON-RPC URL of a node, if the chain is elsewhere; default: $PINGZHENG_RPC_URL.")
    ] = None,
    erasures: Annotated[
        Path | None, typer.Option(help="List of erasures, beside the archive's; default: $PINGZHENG_ERASURES.")
    ] = None,
    without_key: Annotated[
        list[str] | None, typer.Option(help="Id of a wrapping key that is lost for good; repeat.")
    ] = None,
    accept_chain_loss: Annotated[
        bool, typer.Option("--accept-chain-loss", help="Go on with a local chain that is known to have lost its end.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """用备份、归档和链恢复账本到新文件夹；链可以已继续前行。Restore a ledger from backup, archive and chain into a new
    folder; the chain may have gone on.

    The word `from` may be left out. The ledger is made whole or not at all. Batches that the chain holds and nobody
    kept are listed as lost: their numbers are never given out again, and `pingzheng log adopt` takes their entries back
    from holders. Without the list of erasures texts stay closed until `pingzheng restore confirm-erasures`. Everybody
    signs in again, and machines get new keys.

    示例 Example:  pingzheng restore from /backup/2026-11-30 --keys /vault/2026-11-30 --archive /archive --home new
    """
    with errors_explained(as_json):
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
            told = restore(settings, sources)
        emit(_told(told, settings.home, as_json), as_json, "已恢复 Restored")


def _require_one_chain(chain: Path | None, rpc_url: str | None) -> None:
    if chain is not None and rpc_url is not None:
        raise InvalidInput(
            "RESTORE_ONE_CHAIN",
            "A ledger has one chain: a local one, or one behind a node.",
            where="--chain",
            hint="Give --chain or --rpc-url, not both.",
        )


@app.command("confirm-erasures")
def confirm_erasures(
    erasures: Annotated[
        Path | None, typer.Option(help="List of erasures to apply first, if it was found.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """恢复时没有删除清单的，核对后让密封内容可再次打开。Let the texts open again that a restore without the list of
    erasures left closed.

    示例 Examples:  pingzheng restore confirm-erasures --erasures erased.jsonl · pingzheng restore confirm-erasures
    """
    with opened(home, as_json) as ledger:
        from ledger.installation.recovery.reclosing import ClosedTexts

        confirm(QUESTION, yes or erasures is not None)
        closed = ClosedTexts(ledger.database, ledger.reader.chain.ledger, ledger.archiving)
        applied, texts = closed.confirm(erasures)
        closed.scrub()
        emit({"erasures": applied, "opened": texts}, as_json, "已确认 Confirmed")


def adopt(
    bundles: Annotated[list[Path], typer.Argument(help="Bundles that holders sent.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """从持有人的凭证包收回丢失的条目，每个按链上的根核对。Take lost entries back from holders' bundles, each checked
    against its root on the chain.

    Each bundle is taken as a whole or refused. Exit code 1 if one was refused.

    示例 Example:  pingzheng log adopt bundle-1.json bundle-2.json
    """
    from ledger.proof.bundle import MAX_BUNDLE_BYTES

    refused = False
    with opened(home, as_json) as ledger:
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


def lost(home: Home = None, as_json: AsJson = False) -> None:
    """链上有而此处没有全部条目的批次。The batches that the chain holds and of which entries are missing here.

    示例 Example:  pingzheng log lost
    """
    with opened(home, as_json) as ledger:
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
        ledger.archiving.erased(),
    )


def _told(told: Restored, home: Path, as_json: bool) -> dict[str, Any]:
    from ledger.installation.recovery.restoring import FROM_THE_BACKUP_ALONE

    rows = [asdict(each) for each in told.log.lost]
    numbers = _ranges([seq for row in rows for seq in (row["first_seq"], row["last_seq"])], pairs=True)
    return {
        "home": str(home),
        "ledger": told.ledger,
        "backup": told.backup,
        "backup_made_at": told.made_at,
        "chain": told.chain,
        "batches": told.log.batches,
        "batches_from_archive": told.merged.batches,
        "batches_waiting": told.log.waiting,
        "batches_damaged_in_archive": list(told.merged.damaged),
        "entries": told.log.entries,
        "lost_batches": rows if as_json else _numbered(_ranges([row["batch"] for row in rows])),
        "lost_numbers": numbers if as_json else _numbered(numbers),
        "lost_entries": sum(row["missing"] for row in rows),
        "numbers_skipped": told.skipped,
        "erasures_applied": told.erased,
        "texts_closed": told.closed,
        "texts_without_key": dict(told.unheld),
        "texts_damaged_in_archive": list(told.texts_damaged),
        "parties_unknown": told.parties_unknown,
        "assets_unknown": told.assets_unknown,
        "only_from_backup": list(FROM_THE_BACKUP_ALONE),
        "drafts_left": [
            {"path": each.where, "holds": each.details["holds"], "hint": each.hint}
            if as_json
            else f"{each.where} ({', '.join(each.details['holds'])}): {each.hint}"
            for each in told.drafts
        ],
    }


def _numbered(numbers: Sequence[str]) -> str | None:
    """Say that these are numbers and not a count: ``编号 no. 4, 7-9``."""
    return f"编号 no. {', '.join(numbers)}" if numbers else None


def _ranges(numbers: Sequence[int], *, pairs: bool = False) -> list[str]:
    """Consecutive numbers as ranges; with ``pairs`` the numbers are the ends of ranges already."""
    ends = list(zip(numbers[::2], numbers[1::2], strict=True)) if pairs else [(each, each) for each in numbers]
    found: list[tuple[int, int]] = []
    for first, last in ends:
        if found and found[-1][1] + 1 == first:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]
