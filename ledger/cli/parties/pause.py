"""``pingzheng pause``: stop anchoring, registering and binding keys for at most 7 days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import actor_of
from ledger.cli.shell.output import AsJson, emit
from ledger.cli.shell.waiting import Authority, OwnKey, emit_done, signed_by

if TYPE_CHECKING:
    from ledger.installation.participant import Participant
    from ledger.installation.wiring import Ledger

app = Group()

Guardian = Annotated[str, typer.Option(help="The acting authority or supervisor: party id, USCC or `authority`.")]
TITLE = "暂停 Pause"


@app.command()
def start(ledger: Ledger, by: Guardian = "authority", key: OwnKey = None, as_json: AsJson = False) -> None:
    """主管部门或监管方暂停上链存证、登记和密钥绑定，最长七天；暂停的时间不计入提案的等待期。As one authority or
    supervisor, pause anchoring, registering and the binding of keys for at most 7 days. The time of the pause does not
    count towards a proposal's waiting period.

    The same party can pause again 30 days after the end of its pause. Key reports, vetoes, holds, withdrawals,
    revocations, uses and verification are never paused.

    示例 Example:  pingzheng pause start --by authority
    """
    guardian = actor_of(ledger, by)
    signed_by(key, guardian, ledger.pauses.pause)
    emit(_state(ledger), as_json, TITLE)


@app.command()
def end(ledger: Ledger, by: Authority = "authority", key: OwnKey = None, as_json: AsJson = False) -> None:
    """两个主管部门提前结束暂停。End a pause early: one authority proposes this, and another authority confirms it.

    示例 Example:  pingzheng pause end
    """
    office = actor_of(ledger, by)
    row = signed_by(key, office, ledger.pauses.end)
    emit_done(row, lambda: _state(ledger), as_json, TITLE)


@app.command()
def show(ledger: Participant, as_json: AsJson = False) -> None:
    """显示账本是否暂停、到何时为止。Show whether the ledger is paused, and until when.

    示例 Example:  pingzheng pause show
    """
    emit(_state(ledger), as_json, TITLE)


def _state(ledger: Participant) -> dict[str, Any]:
    until = ledger.pauses.until()
    return {"paused": until > 0, "until": until}
