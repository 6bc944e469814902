"""``pingzheng skip``: move the clock of a local chain forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.shell.output import AsJson, emit, local_time
from ledger.domain.days import DAY

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger


def skip(
    ledger: Ledger,
    days: Annotated[
        int, typer.Argument(min=1, max=3660, help="By how many days the clock is moved.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """把本地链的时钟拨快若干天，使演示中的公示期满；其他链的时钟不能拨。Move a local chain's clock forward by some
    days, so that a public notice ends in a demonstration. The clock of other chains cannot be moved.

    示例 Example:  pingzheng skip 16
    """
    from ledger.installation.local_chain import LocalClock

    LocalClock(ledger.settings).skip(ledger.reader.connection, days * DAY)
    now = ledger.clock()
    emit({"now": now, "时间 local": local_time(now)}, as_json)
