"""``pingzheng skip``: move the clock of a local chain forward."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, emit, local_time
from ledger.domain.days import DAY


def skip(
    days: Annotated[int, typer.Argument(min=1, max=3660, help="Days to skip.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """把本地链的时钟向前拨若干天，使演示中的公示到期；其他链的时钟不能拨动。Move a local chain's clock forward by some
    days, so that a public notice ends in a demonstration. The clock of other chains cannot be moved.

    示例 Example:  pingzheng skip 16
    """
    with opened(home, as_json) as ledger:
        from ledger.installation.local_chain import LocalClock

        LocalClock(ledger.settings).skip(ledger.reader.connection, days * DAY)
        now = ledger.clock()
        emit({"now": now, "时间 local": local_time(now)}, as_json)
