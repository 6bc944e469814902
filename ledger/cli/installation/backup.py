"""``pingzheng backup``: copy the data and the keys of a ledger into two separate folders, while the service runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.shell.output import AsJson, Home, emit, stderr


def backup_command(
    folder: Annotated[
        Path, typer.Argument(help="New folder for the data: database, chain, files.", show_default=False)
    ],
    keys: Annotated[
        Path, typer.Option(help="New folder for the keys, on another disk than the data.", show_default=False)
    ],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """备份账本，把数据和密钥分别写入两个文件夹；服务不必停止，写完后核对所有文件。Back up the ledger: write the data
    into one folder and the keys into a second folder. The service need not stop. The written files are checked.

    A person who has both folders can read all personal data, so keep the two folders in different places. Existing
    files are not overwritten.

    示例 Example:  pingzheng backup /backup/2026-11-30 --keys /vault/2026-11-30
    """
    from ledger.installation.recovery.backup import back_up
    from ledger.installation.settings import Settings

    with stderr.status("备份 Backing up…"):
        written = back_up(Settings.at(home), folder, keys)
    result = {
        "backup": written.id,
        "folder": str(written.folder),
        "keys": str(written.keys),
        "ledger": written.ledger,
        "made_at": written.made_at,
        **written.about,
    }
    emit(result, as_json, "备份 Backup")
