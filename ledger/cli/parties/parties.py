"""``pingzheng party``: onboarding, first keys, accreditation, roles, status."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.shell.naming import party_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, errors_explained, stderr
from ledger.cli.shell.personal import members_of, readable_by_owner_alone
from ledger.cli.shell.waiting import CARRIED_OUT, Authority, OwnKey, emit_done, emit_proposal, emit_proposals, signed_by
from ledger.connectors.tables import Listed, read_listing
from ledger.domain.codes import organisation_agrees
from ledger.domain.days import day_of, end_of_validity
from ledger.domain.parties import PartyKind, Role
from ledger.errors import InvalidInput, NotFound, PingzhengError
from ledger.installation.local_chain import fund
from ledger.installation.wiring import Ledger
from ledger.parties.proposals.proposals import Proposal
from ledger.parties.register import NewParty
from ledger.parties.tables import Party

app = typer.Typer(no_args_is_help=True)

PartyRef = Annotated[
    str,
    typer.Argument(
        help="Party id, USCC or name of an institution; `authority`, `platform`, `self`: the installation's own.",
        show_default=False,
    ),
]
IDENTITY = {"name": "名称 Name", "identifier": "统一社会信用代码或身份证号 USCC or ID number"}
COLUMNS = ("kind", "name", "identifier", "region", "public_key")
# Of keys that are kept here the proofs are made here.
MORE_COLUMNS = ("proof", "further_keys")
# What may stand in place of a column of a table.
_FILL_IN = {
    "kind": "填写该列，或用 --kind 指明全部各行的种类。Fill it in, or say it for all rows by --kind.",
    "region": "填写该列，或用 --region 指明全部各行的区划。Fill it in, or say it for all rows by --region.",
    "public_key": "填写各方的公钥；演示时可用 --make-keys 代为生成。Fill in each party's public key; for a "
    "demonstration --make-keys makes the keys.",
}
FURTHER = "A further first key with its proof, as KEY=PROOF."


@app.command()
def add(
    kind: Annotated[str, typer.Option(help=", ".join(kind.value for kind in PartyKind), show_default=False)],
    region: Annotated[str, typer.Option(help="Region code, e.g. 440802.", show_default=False)],
    file: Annotated[
        Path | None,
        typer.Option(help='JSON with "name" and "identifier" (USCC, or ID number); `-`: from standard input.'),
    ] = None,
    public_key: Annotated[
        str | None,
        typer.Option(help="Its key, 66 hex digits; of P-256 after `p256:`; default: one made and kept here (demo)."),
    ] = None,
    proof: Annotated[str, typer.Option(help="The key's proof of possession: `pingzheng key prove`.")] = "",
    further_key: Annotated[list[str] | None, typer.Option(help=FURTHER + " Repeat for each.")] = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="It has none yet: see `pingzheng party enrolment`.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """登记参与方：在此记录，由两个机构登记上链，不必等待。Onboard a party: recorded here, and registered on the chain
    by two offices, without a delay.

    Name and identifier are read from a file, or asked for: other users of a machine see arguments. Give all its first
    keys now: a later one waits for the delay.

    示例 Example:  pingzheng party add --kind bank --region 440803 --file bank.json
    """
    with errors_explained(as_json):
        told = members_of(file, IDENTITY)
    with opened(home, as_json) as ledger:
        key = "" if no_key else public_key or ledger.custody.public_key(*ledger.custody.create())
        further = tuple(_further(text, "further-key") for text in further_key or ())
        newcomer = NewParty(
            _kind(kind, "kind"), told["name"], told["identifier"], region, key, proof=proof, further_keys=further
        )
        (row,) = ledger.parties.onboard([newcomer])
        _warn_of_codes([(told["identifier"], newcomer)])
        waits = _unregistered(ledger, [row])
        if waits:
            emit_proposal(waits[0], as_json)
        else:
            emit(party_shown(ledger, [row])[0], as_json)


@app.command()
def enrolment(
    party: PartyRef,
    by: Annotated[str, typer.Option(help="The authority or admin that gives the code.")] = "authority",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """给从未有过密钥的参与方一个一次性登记码，7 天有效，只显示这一次；登记码不能登录，也不能查看内容。Give a party that
    never had a key a one-time code for its first key, for 7 days, shown this once. It opens no session.

    The party hands its key in with `pingzheng enrol`; the key counts after two offices.

    示例 Example:  pingzheng party enrolment PARTY
    """
    with opened(home, as_json) as ledger:
        office = ledger.parties.actor(party_of(ledger, by))
        emit(asdict(ledger.enrolments.issue(office, party_of(ledger, party))), as_json, "登记码 Enrolment code")


@app.command()
def accredit(
    party: PartyRef,
    codes: Annotated[
        list[str], typer.Argument(help="Scenario codes; S00: registration certificates; quality, appraise: assessors.")
    ],
    last_day: Annotated[str, typer.Option(help="YYYY-MM-DD, Asia/Shanghai.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """两个主管部门授予签发或评估资格，从现在到某日结束；等待期满后生效。Let a party issue or assess from now to the
    end of a day, as two authorities; in force after the delay.

    示例 Example:  pingzheng party accredit platform S00 S51 --last-day 2029-12-31
    """
    with opened(home, as_json) as ledger:
        identifier = party_of(ledger, party)
        made = ledger.parties.accredit(
            identifier, codes, ledger.clock(), end_of_validity(day_of(last_day, "--last-day"))
        )
        if waits := _waiting(made):
            emit_proposals(waits, as_json, "待生效的提案 Proposals that wait")
        else:
            emit({"party": identifier, "codes": codes, "last_day": last_day}, as_json)


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help=f"CSV or Excel with the columns {', '.join(COLUMNS)}, and perhaps {', '.join(MORE_COLUMNS)} "
            "(KEY=PROOF;…); or in Chinese: 类别, 名称, 统一社会信用代码, 区划."
        ),
    ],
    kind: Annotated[str | None, typer.Option(help="Of every row, where the file has no such column.")] = None,
    region: Annotated[str | None, typer.Option(help="Of every row, where the file has no such column.")] = None,
    make_keys: Annotated[
        bool, typer.Option("--make-keys", help="Make a key for each row without one, and keep it here (demo).")
    ] = False,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV file, if it is not UTF-8: gb18030.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """登记 CSV 或 Excel 表中的参与方，全部或全不，由两个机构登记上链；错误指明行号。Onboard the parties of a CSV or
    Excel table, all of them or none, by two offices; an error names the line, and the answer the party of each line.

    示例 Examples:  pingzheng party import parties.csv · pingzheng party import firms.xlsx --kind enterprise --region
    440803 --make-keys
    """
    with opened(home, as_json) as ledger:
        readable_by_owner_alone(file)
        told = read_listing(file, (*COLUMNS, *MORE_COLUMNS), encoding)
        usual = {name: value for name, value in (("kind", kind), ("region", region)) if value is not None}
        rows = [usual | {name: cell for name, cell in row.items() if cell or name == "public_key"} for row in told.rows]
        newcomers = [
            _newcomer(row, f"{file.name}, line {line}", make_keys) for line, row in zip(told.lines, rows, strict=True)
        ]
        if make_keys:
            newcomers = _with_keys(ledger, newcomers)
        with _lines_named(file.name, told):
            made = ledger.parties.onboard(newcomers)
        places = [f"{file.name}, line {line}" for line in told.lines]
        _warn_of_codes(zip(places, newcomers, strict=True))
        waits = _unregistered(ledger, made)
        shown = [{"line": line} | each for line, each in zip(told.lines, party_shown(ledger, made), strict=True)]
        if as_json:
            pending = [{"proposal": ledger.parties.pending(row.id)} for row in made]
            emit_rows([each | waiting for each, waiting in zip(shown, pending, strict=True)], as_json, "")
            return
        for note in told.notes:
            stderr.print(note, highlight=False, markup=False)
        emit_rows(shown, as_json, "参与方 Parties")
        for row in waits:
            emit_proposal(row, as_json)


def _warn_of_codes(newcomers: Iterable[tuple[str, NewParty]]) -> None:
    """Name the institutions whose USCC holds no valid organisation code, by their place; they were taken."""
    for place, newcomer in newcomers:
        if newcomer.kind is not PartyKind.PERSON and not organisation_agrees(newcomer.identifier):
            stderr.print(
                f"注意 caution ORGANISATION_CODE  {place}: 统一社会信用代码第 9 至 17 位不是有效的组织机构代码"
                "（GB 11714），请与执照核对；已登记。Characters 9 to 17 of the USCC are no valid organisation code: "
                "compare it with the licence. The party was taken.",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )


@app.command()
def show(party: PartyRef, home: Home = None, as_json: AsJson = False) -> None:
    """一个参与方：编号、名称（机构）、角色、账户。One party: id, name if it is an institution, roles and account.

    示例 Example:  pingzheng party show 91440803MA9X0002X5
    """
    with opened(home, as_json) as ledger:
        row = ledger.parties.get(party_of(ledger, party))
        emit(party_shown(ledger, [row])[0], as_json, "参与方 Party")


@app.command("list")
def listing(
    after: Annotated[str | None, typer.Option(help="Begin after this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """按编号列出参与方；机构显示名称和统一社会信用代码，个人不显示。Parties by id; institutions with name and USCC,
    persons without name and number.

    示例 Example:  pingzheng party list --limit 50
    """
    with opened(home, as_json) as ledger:
        emit_rows(party_shown(ledger, ledger.parties.page(after, limit)), as_json, "参与方 Parties")


@app.command("fund")
def fund_account(party: PartyRef, home: Home = None, as_json: AsJson = False) -> None:
    """在本地链上给参与方 gas，供其自己发送交易（见 `pingzheng join`）。Let a party pay for gas on a local chain, to
    send transactions of its own (see `pingzheng join`).

    示例 Example:  pingzheng party fund 91440803MA9X0002X5
    """
    with opened(home, as_json) as ledger:
        account = ledger.parties.get(party_of(ledger, party)).account
        fund(ledger.settings, ledger.client.connection, account)
        emit({"party": party, "account": account}, as_json)


@app.command()
def roles(
    party: PartyRef,
    role: Annotated[list[Role], typer.Option(help="Repeat for each role.", show_default=False)],
    by: Authority = "authority",
    key: OwnKey = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """使参与方恰好具有这些角色，不能给自己；涉及公职时由两个主管部门决定，等待期满后生效。Give a party exactly these
    roles, never to oneself. Where an office is given or taken, two authorities decide and the delay passes.

    示例 Example:  pingzheng party roles <party> --role consumer --role provider
    """
    with opened(home, as_json) as ledger:
        acting, identifier = party_of(ledger, by), party_of(ledger, party)
        row = signed_by(key, lambda signed: ledger.role_changes.set_roles(acting, identifier, role, signed))
        emit_done(row, lambda: _standing(ledger, identifier), as_json)


@app.command()
def status(
    party: PartyRef,
    to: Annotated[str, typer.Argument(help="active, suspended, sanctioned, closed (final).", show_default=False)],
    reason: Annotated[str, typer.Option(help="court, sanction, investigation, lifted, …", show_default=False)],
    by: Authority = "authority",
    key: OwnKey = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """停用或恢复参与方；永久关闭，以及停用主管部门和监管方，由两个主管部门决定，等待期满后生效。Stop a party, or let
    it act again. To close one for good, and to stop an authority or supervisor, takes two authorities and the delay.

    示例 Example:  pingzheng party status <party> suspended --reason investigation
    """
    with opened(home, as_json) as ledger:
        acting, identifier = party_of(ledger, by), party_of(ledger, party)
        row = signed_by(key, lambda signed: ledger.role_changes.set_status(acting, identifier, to, reason, signed))
        emit_done(row, lambda: _standing(ledger, identifier), as_json)


def _standing(ledger: Ledger, party: str) -> dict[str, object]:
    record = ledger.reader.party(ledger.reader.party_no(party))
    return {"id": record.id, "status": record.status, "roles": ", ".join(record.roles)}


def _waiting(made: Sequence[Proposal]) -> list[Proposal]:
    return [row for row in made if row.state != CARRIED_OUT]


def _unregistered(ledger: Ledger, rows: Sequence[Party]) -> list[Proposal]:
    """The proposals that another office must confirm before these parties are on the chain."""
    numbers = {ledger.parties.pending(row.id) for row in rows if row.no is None}
    return [ledger.proposals.get(number) for number in sorted(number for number in numbers if number is not None)]


@contextmanager
def _lines_named(file: str, listed: Listed) -> Iterator[None]:
    """An error about one of the parties names its line in the file."""
    try:
        yield
    except PingzhengError as error:
        if found := re.fullmatch(r"party ([0-9]{1,6})", error.where or ""):
            error.where = f"{file}, line {listed.lines[int(found[1]) - 1]}"
        raise


def _newcomer(row: Mapping[str, str], where: str, make_keys: bool) -> NewParty:
    needed = [name for name in COLUMNS if name != "public_key" or not make_keys]
    if missing := [name for name in needed if name not in row]:
        raise InvalidInput(
            "CSV_COLUMN_MISSING",
            f"缺少 {missing[0]} 列，或此处为空。The column {missing[0]} is missing, or empty here.",
            where=where,
            hint=_FILL_IN.get(missing[0], f"请填写 {missing[0]} 列。Fill in the column {missing[0]}."),
        )
    told = _kind(row["kind"], where), row["name"], row["identifier"], row["region"], row.get("public_key", "")
    further = tuple(_further(text, where) for text in row.get("further_keys", "").split(";") if text)
    return NewParty(*told, proof=row.get("proof", ""), further_keys=further)


def _with_keys(ledger: Ledger, newcomers: Sequence[NewParty]) -> list[NewParty]:
    """Each with a key; who is known here already has one."""
    without = [each for each in newcomers if not each.public_key and _known(ledger, each.identifier) is None]
    keys = iter(ledger.custody.create(len(without)) if without else ())
    return [each if each.public_key else replace(each, public_key=_key_of(ledger, each, keys)) for each in newcomers]


def _key_of(ledger: Ledger, newcomer: NewParty, fresh: Iterator[str]) -> str:
    known = _known(ledger, newcomer.identifier)
    return ledger.custody.public_key(next(fresh)) if known is None else known.public_key


def _known(ledger: Ledger, identifier: str) -> Party | None:
    try:
        return ledger.parties.find(identifier)
    except NotFound:
        return None


def _further(text: str, where: str) -> tuple[str, str]:
    key, separator, proof = text.partition("=")
    if not separator:
        raise InvalidInput("FURTHER_KEY_FORM", "A further key reads KEY=PROOF.", where=where)
    return key, proof


def _kind(value: str, where: str) -> PartyKind:
    try:
        return PartyKind(value)
    except ValueError:
        raise InvalidInput(
            "PARTY_KIND_UNKNOWN",
            "There is no such kind of party.",
            where=where,
            hint=f"One of: {', '.join(kind.value for kind in PartyKind)}.",
        ) from None


def party_shown(ledger: Ledger, rows: Sequence[Party]) -> list[dict[str, object]]:
    """Parties as tables show them: institutions with name and USCC, persons without theirs; roles are the chain's."""
    roles = ledger.roles.of(row.id for row in rows)
    institutions = ledger.directory.of(row.id for row in rows)
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
