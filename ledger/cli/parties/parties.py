"""``pingzheng party``: onboarding, enrolment codes, accreditation, roles and status of parties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.parties.newcomers import (
    COLUMNS,
    MORE_COLUMNS,
    further_key_of,
    lines_named,
    newcomer_of,
    warn_of_codes,
    with_keys,
)
from ledger.cli.parties.options import PartyRef
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import party_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, stderr
from ledger.cli.shell.personal import members_of, readable_by_owner_alone
from ledger.cli.shell.waiting import CARRIED_OUT, Authority, OwnKey, emit_done, emit_proposal, emit_proposals, signed_by
from ledger.connectors.tables import read_listing
from ledger.domain.days import day_of, end_of_validity
from ledger.domain.parties import PartyKind, Role
from ledger.installation.local_chain import fund

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.parties.known import KnownParty
    from ledger.parties.proposals.proposals import Proposal

app = Group()

IDENTITY = {"name": "名称 Name", "identifier": "统一社会信用代码或身份证号 USCC or ID number"}
FURTHER = "Another first key with its proof, as KEY=PROOF."


@app.command()
def add(
    kind: Annotated[str, typer.Option(help=", ".join(kind.value for kind in PartyKind), show_default=False)],
    region: Annotated[str, typer.Option(help="Region code, e.g. 440802.", show_default=False)],
    file: Annotated[
        Path | None,
        typer.Option(help='JSON file with "name" and "identifier" (USCC, or ID number); `-`: standard input.'),
    ] = None,
    public_key: Annotated[
        str | None,
        typer.Option(
            help=(
                "The party's public key, 66 hex digits, with `p256:` before a P-256 key; default: make a key here "
                "(demo)."
            )
        ),
    ] = None,
    proof: Annotated[
        str, typer.Option(help="The proof that the party has the key, made with `pingzheng key prove`.")
    ] = "",
    further_key: Annotated[list[str] | None, typer.Option(help=FURTHER + " Repeat for each key.")] = None,
    no_key: Annotated[
        bool,
        typer.Option("--no-key", help="The party has no key yet. It will get one with `pingzheng party enrolment`."),
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """登记参与方：先在本地记录，再由两个机构登记上链，没有等待期。Onboard a party: it is recorded here, and two
    institutions register it on the chain without a waiting period.

    Name and identifier come from a file or a prompt, because other users of the machine can see arguments. Give all
    first keys now: a key that is added later takes effect only after the waiting period.

    示例 Example:  pingzheng party add --kind bank --region 440803 --file bank.json
    """
    from ledger.parties.newcomers import NewParty, kind_of

    given = members_of(file, IDENTITY)
    name, identifier = given["name"], given["identifier"]
    with opened(home, as_json) as ledger:
        key = "" if no_key else public_key or ledger.custody.public_key(*ledger.custody.create())
        further = tuple(further_key_of(text, "further-key") for text in further_key or ())
        newcomer = NewParty(kind_of(kind, "kind"), name, identifier, region, key, proof=proof, further_keys=further)
        (row,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer])
        warn_of_codes([(identifier, newcomer)])
        waits = _unregistered(ledger, [row])
        if waits:
            emit_proposal(waits[0], as_json)
        else:
            emit(party_shown(ledger, [row])[0], as_json)


@app.command()
def enrolment(
    ledger: Ledger,
    party: PartyRef,
    by: Annotated[str, typer.Option(help="The authority or admin that issues the code.")] = "authority",
    as_json: AsJson = False,
) -> None:
    """为从未有过密钥的参与方生成一次性登记码，7 天内有效，只显示一次；登记码不能用来登录，也不能查看内容。Issue a
    one-time code with which a party that never had a key submits its first key. The code is valid for 7 days, is shown
    only once, and cannot be used to sign in.

    The party submits its key with `pingzheng enrol`. The key is valid once two institutions have registered it.

    示例 Example:  pingzheng party enrolment PARTY
    """
    office = ledger.actor(party_of(ledger, by))
    emit(asdict(ledger.parties.enrolments.issue(office, party_of(ledger, party))), as_json, "登记码 Enrolment code")


@app.command()
def accredit(
    ledger: Ledger,
    party: PartyRef,
    codes: Annotated[
        list[str],
        typer.Argument(
            help="Scenario codes, `S00` for registration certificates, or `quality` and `appraise` for assessors."
        ),
    ],
    last_day: Annotated[
        str, typer.Option(help="Last day of the permission, YYYY-MM-DD, Asia/Shanghai.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """两个主管部门授予签发或评估资格，等待期满后生效，到所定日期结束时止。Allow a party to issue or assess until the
    end of a day. Two authorities must agree, and the permission takes effect after the waiting period.

    示例 Example:  pingzheng party accredit platform S00 S51 --last-day 2029-12-31
    """
    identifier = party_of(ledger, party)
    made = ledger.parties.role_changes.accredit(
        ledger.authority, identifier, codes, ledger.clock(), end_of_validity(day_of(last_day, "--last-day"))
    )
    if waits := _waiting(made):
        emit_proposals(waits, as_json, "待生效的提案 Proposals that wait")
    else:
        emit({"party": identifier, "codes": codes, "last_day": last_day}, as_json)


@app.command("import")
def import_file(
    ledger: Ledger,
    file: Annotated[
        Path,
        typer.Argument(
            help=f"CSV or Excel file with the columns {', '.join(COLUMNS)}, and optionally {', '.join(MORE_COLUMNS)} "
            "(KEY=PROOF;…); or in Chinese: 类别, 名称, 统一社会信用代码, 区划."
        ),
    ],
    kind: Annotated[str | None, typer.Option(help="Kind of all parties, if the file has no such column.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of all parties, if the file has no such column.")] = None,
    make_keys: Annotated[
        bool,
        typer.Option("--make-keys", help="If a row has no key, make a key and keep it here (demo)."),
    ] = False,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a CSV file, if it is not UTF-8: gb18030.")] = None,
    as_json: AsJson = False,
) -> None:
    """登记 CSV 或 Excel 表中的参与方，全部登记或全部不登记，由两个机构登记上链；错误信息指明行号。Onboard all parties
    in a CSV or Excel table, or none if one is refused. Two institutions register them on the chain. An error names the
    line; the output lists the party of each line.

    示例 Examples:  pingzheng party import parties.csv · pingzheng party import firms.xlsx --kind enterprise --region
    440803 --make-keys
    """
    readable_by_owner_alone(file)
    listed = read_listing(file, (*COLUMNS, *MORE_COLUMNS), encoding)
    usual = {name: value for name, value in (("kind", kind), ("region", region)) if value is not None}
    rows = [usual | {name: cell for name, cell in row.items() if cell or name == "public_key"} for row in listed.rows]
    places = [f"{file.name}, line {line}" for line in listed.lines]
    newcomers = [newcomer_of(row, place, make_keys) for place, row in zip(places, rows, strict=True)]
    if make_keys:
        newcomers = with_keys(ledger, newcomers)
    with lines_named(file.name, listed):
        made = ledger.parties.onboarding.onboard(ledger.authority, newcomers)
    warn_of_codes(zip(places, newcomers, strict=True))
    waits = _unregistered(ledger, made)
    shown = [{"line": line} | each for line, each in zip(listed.lines, party_shown(ledger, made), strict=True)]
    if as_json:
        pending = [{"proposal": ledger.parties.onboarding.pending(row.id)} for row in made]
        emit_rows([each | waiting for each, waiting in zip(shown, pending, strict=True)], as_json, "")
        return
    for note in listed.notes:
        stderr.print(note, highlight=False, markup=False)
    emit_rows(shown, as_json, "参与方 Parties")
    for row in waits:
        emit_proposal(row, as_json)


@app.command()
def show(ledger: Ledger, party: PartyRef, as_json: AsJson = False) -> None:
    """显示一个参与方：编号、名称（机构）、角色、账户。Show one party: id, name (of an institution), roles and account.

    示例 Example:  pingzheng party show 91440803MA9X0002X5
    """
    row = ledger.parties.register.get(party_of(ledger, party))
    emit(party_shown(ledger, [row])[0], as_json, "参与方 Party")


@app.command("list")
def listing(
    ledger: Ledger,
    after: Annotated[str | None, typer.Option(help="List only parties after this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """列出参与方，按编号排序；机构显示名称和统一社会信用代码，个人不显示。List parties, ordered by id: institutions
    with name and USCC, persons without name and ID number.

    示例 Example:  pingzheng party list --limit 50
    """
    emit_rows(party_shown(ledger, ledger.parties.register.page(after, limit)), as_json, "参与方 Parties")


@app.command("fund")
def fund_account(ledger: Ledger, party: PartyRef, as_json: AsJson = False) -> None:
    """在本地链上向参与方提供 gas，使其可以自行发送交易（见 `pingzheng join`）。Give a party gas on a local chain, so
    that it can send its own transactions (see `pingzheng join`).

    示例 Example:  pingzheng party fund 91440803MA9X0002X5
    """
    account = ledger.parties.register.get(party_of(ledger, party)).account
    fund(ledger.settings, ledger.client.connection, account)
    emit({"party": party, "account": account}, as_json)


@app.command()
def roles(
    ledger: Ledger,
    party: PartyRef,
    role: Annotated[
        list[Role], typer.Option(help="A role that the party will have; repeat for each role.", show_default=False)
    ],
    by: Authority = "authority",
    key: OwnKey = None,
    as_json: AsJson = False,
) -> None:
    """设定另一参与方的全部角色。只涉及主体、提供方、使用方、经纪方角色的，立即生效；涉及其他角色的，由两个主管部门决定，等待期满后生效。Give
    another party exactly these roles. If only the roles subject, provider, consumer or broker change, the change takes
    effect at once. For any other role, two authorities must agree, and the change takes effect after the waiting
    period.

    示例 Example:  pingzheng party roles <party> --role consumer --role provider
    """
    office, identifier = ledger.actor(party_of(ledger, by)), party_of(ledger, party)
    row = signed_by(key, office, lambda acting: ledger.parties.role_changes.set_roles(acting, identifier, role))
    emit_done(row, lambda: _present(ledger, identifier), as_json)


@app.command()
def status(
    ledger: Ledger,
    party: PartyRef,
    to: Annotated[
        str,
        typer.Argument(help="The new status: active, suspended, sanctioned, or closed (final).", show_default=False),
    ],
    reason: Annotated[
        str, typer.Option(help="Reason code: court, sanction, investigation, lifted, …", show_default=False)
    ],
    by: Authority = "authority",
    key: OwnKey = None,
    as_json: AsJson = False,
) -> None:
    """停用、处置、恢复或永久关闭参与方。永久关闭，或改变主管部门、监管方、签发方的状态，由两个主管部门决定，等待期满后生效。Suspend,
    sanction, restore or close a party. To close a party, or to change the status of an authority, a supervisor or an
    issuer, two authorities must agree, and the change takes effect after the waiting period.

    示例 Example:  pingzheng party status <party> suspended --reason investigation
    """
    office, identifier = ledger.actor(party_of(ledger, by)), party_of(ledger, party)
    row = signed_by(key, office, lambda acting: ledger.parties.role_changes.set_status(acting, identifier, to, reason))
    emit_done(row, lambda: _present(ledger, identifier), as_json)


def _present(ledger: Ledger, party: str) -> dict[str, object]:
    record = ledger.parties.role_changes.present(party)
    return {"id": record.id, "status": record.status, "roles": ", ".join(record.roles)}


def _waiting(made: Sequence[Proposal]) -> list[Proposal]:
    return [row for row in made if row.state != CARRIED_OUT]


def _unregistered(ledger: Ledger, rows: Sequence[KnownParty]) -> list[Proposal]:
    """Return the open proposals to register these parties. Another institution must confirm them before the parties are
    on the chain.
    """
    numbers = {ledger.parties.onboarding.pending(row.id) for row in rows if row.no is None}
    return [ledger.proposals.get(number) for number in sorted(number for number in numbers if number is not None)]


def party_shown(ledger: Ledger, rows: Sequence[KnownParty]) -> list[dict[str, object]]:
    """Return parties as rows of a table, with their roles on the chain. Only institutions have a name and a USCC."""
    roles = ledger.roles.of(row.id for row in rows)
    institutions = ledger.parties.directory.of(row.id for row in rows)
    return [
        {
            "id": row.id,
            "no": row.no,
            "kind": row.kind,
            "name": institutions[row.id].name if row.id in institutions else None,
            "uscc": institutions[row.id].uscc if row.id in institutions else None,
            "roles": ", ".join(roles[row.id]),
            "region": row.region,
            "account": row.present_account,
        }
        for row in rows
    ]
