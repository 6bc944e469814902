"""``pingzheng init``: create a ledger, that is, deploy its contracts with the founding authorities and the waiting
period.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.shell.files import parsed
from ledger.cli.shell.naming import DURATIONS, duration_of
from ledger.cli.shell.opening import shown_while
from ledger.cli.shell.output import AsJson, Home, emit
from ledger.domain.days import day_of, end_of_validity
from ledger.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from ledger.installation.settings import Settings
    from ledger.installation.wiring import Ledger


def init(
    delay: Annotated[
        str | None,
        typer.Option(
            help="The waiting period of proposals, which cannot be changed later: "
            f"{DURATIONS}; default: $PINGZHENG_DELAY or 72h."
        ),
    ] = None,
    office: Annotated[
        list[Path] | None,
        typer.Option(
            help="Signed file of a founding authority, made with `pingzheng key office`. Repeat for each authority."
        ),
    ] = None,
    accredit: Annotated[
        list[str] | None,
        typer.Option(
            help="Scenario for which the platform is accredited from the beginning. Repeat for each scenario."
        ),
    ] = None,
    last_day: Annotated[
        str, typer.Option(help="Last day of the accreditations that --accredit gives: YYYY-MM-DD, Asia/Shanghai.")
    ] = "2030-12-31",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """建立新账本：部署合约，写入创始机构和提案的等待期，此后不能更改。Create a ledger: deploy its contracts with the
    founding authorities and the waiting period of proposals, which cannot be changed later.

    A ledger has at least three founding authorities. On a local chain, which is for demonstrations, their keys are made
    in this folder. On any other chain ($PINGZHENG_RPC_URL) this folder contains the key of at most one authority, every
    other authority sends a signed file (--office), and the waiting period is at least 24 hours.

    示例 Examples:  pingzheng init --delay 72h --accredit S00 --accredit S51 · pingzheng init --office justice.json
    --office services.json
    """
    from ledger.installation.settings import Settings
    from ledger.installation.wiring import create_ledger
    from ledger.parties.offices import MAX_OFFICE_BYTES, read_office

    settings = Settings.at(home)
    if delay is not None:
        settings = settings.model_copy(update={"delay": duration_of(delay)})
    _require_new(settings, office)
    founders = [parsed(path, MAX_OFFICE_BYTES, read_office) for path in office or ()]
    until = end_of_validity(day_of(last_day, "--last-day"))
    periods = dict.fromkeys(accredit or (), (0, until))
    with shown_while(
        "部署合约 Deploying the contracts…",
        lambda: create_ledger(settings, founders=founders, accreditations=periods),
    ) as ledger:
        emit(_founded(ledger), as_json, "新账本 New ledger")


def _require_new(settings: Settings, office: list[Path] | None) -> None:
    from ledger.installation.home import is_half_made

    if (settings.home / "deployment.json").exists() and not is_half_made(settings.home):
        raise Conflict(
            "LEDGER_SET_UP",
            "This folder already holds a ledger. Its founding authorities and waiting period cannot be changed.",
            where=str(settings.home),
            hint="Look at the ledger with `pingzheng status`, or give another --home.",
        )
    if office and settings.rpc_url is None:
        raise InvalidInput(
            "OFFICES_PLAYED_HERE",
            "On a local chain this program simulates all authorities, so files given with --office have no effect.",
            where="office",
            hint="Name another chain with $PINGZHENG_RPC_URL, or leave out --office.",
        )


def _founded(ledger: Ledger) -> dict[str, Any]:
    chain = ledger.reader.chain
    return {
        "home": str(ledger.settings.home),
        "ledger": chain.ledger,
        "chain_id": chain.chain_id,
        "delay_seconds": chain.delay,
        "threshold": chain.threshold,
        "officers": ledger.reader.officers(),
        "deployment": str(ledger.settings.home / "deployment.json"),
    }
