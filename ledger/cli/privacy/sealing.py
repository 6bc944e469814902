"""``pingzheng sealing``: show and rotate the keys that wrap (encrypt) the data keys of encrypted records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.shell.group import Group
from ledger.cli.shell.output import AsJson, emit, progress

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.privacy.key_rotation import SealingStatus

app = Group()


@app.command()
def status(ledger: Ledger, as_json: AsJson = False) -> None:
    """查看每把密钥封装了多少条记录的数据密钥；没有封装任何记录的密钥，不再需要。Show for how many encrypted records
    each key wraps (encrypts) the data key. A key that wraps no data key is no longer needed.

    示例 Example:  pingzheng sealing status
    """
    emit(_shown(ledger.key_rotation.status()), as_json, "密封 Sealed records")


@app.command()
def rotate(
    ledger: Ledger,
    to: Annotated[
        str | None,
        typer.Option(help="Id of the new key; default: the next number, or the id that an interrupted rotation used."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """用新密钥封装每把数据密钥，密封内容不变；中断后再次执行即可继续。Wrap (encrypt) every data key with a new key. The
    encrypted texts do not change. After an interruption, run the command again to continue.

    If the keys are in environment variables, set the variable of the new key first.

    示例 Example:  pingzheng sealing rotate
    """
    with progress() as bar:
        begun = ledger.key_rotation.begin(to)
        task = bar.add_task("换钥 rewrap", total=begun.outdated)
        rewrapped = ledger.key_rotation.run(lambda count: bar.advance(task, count))
        if rewrapped:
            ledger.key_rotation.scrub()
        emit(_shown(ledger.key_rotation.status()) | {"rewrapped": rewrapped}, as_json, "换钥 Rotation")


def _shown(status: SealingStatus) -> dict[str, object]:
    return {
        "current_key": status.current,
        "records_by_key": status.by_key,
        "erased": status.erased,
        "archived_by_key": status.archived,
    }
