"""``pingzheng party`` and ``pingzheng key``: keys, onboarding, API keys."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.chain.relay import ForwardRequest, sign_request
from ledger.cli.files import private_key_of
from ledger.cli.naming import TIMES, day_of, party_of, seconds_of
from ledger.cli.opening import opened, participating
from ledger.cli.output import AsJson, Home, emit, emit_rows, errors_explained
from ledger.connectors.tabular import read_csv
from ledger.domain.days import end_of_validity
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, InvalidInput
from ledger.proof.suite import ES256, ES256K, SM2SM3, suite_of_key
from ledger.service.keys import new_key, signer_of_key, write_private
from ledger.service.local_chain import fund
from ledger.service.parties import NewParty
from ledger.service.wiring import Ledger
from ledger.store.tables import Party

app = typer.Typer(no_args_is_help=True)
keys = typer.Typer(no_args_is_help=True)

PartyRef = Annotated[
    str,
    typer.Argument(
        help="Party id or USCC; `authority`, `platform`, `self`: the installation's own.", show_default=False
    ),
]
PublicKey = Annotated[
    str | None, typer.Option(help="The new key, compressed, 66 hex digits; default: one made and kept here.")
]
Authority = Annotated[str, typer.Option(help="The party that acts, in office.")]
COLUMNS = ("kind", "name", "identifier", "region", "public_key")


class Suite(StrEnum):
    """What a key signs with."""

    ES256K = "es256k"
    ES256 = "es256"
    SM2 = "sm2"


SUITES = {Suite.ES256K: ES256K, Suite.ES256: ES256, Suite.SM2: SM2SM3}


@keys.command("new")
def new(
    out: Annotated[Path, typer.Argument(help="File for the private key; made readable by you alone.")],
    suite: Annotated[
        Suite, typer.Option(help="es256: P-256, as in wallets and phones; sm2: for statements alone.")
    ] = Suite.ES256K,
    as_json: AsJson = False,
) -> None:
    """生成密钥，显示账户和公钥。Make a key; prints its account and public key.

    示例 Examples:  pingzheng key new firm.key · pingzheng key new phone.key --suite es256
    """
    with errors_explained(as_json):
        if out.exists():
            raise Conflict("FILE_EXISTS", "There is a file of that name.", where=str(out), hint="Choose another name.")
        key = new_key(SUITES[suite])
        write_private(out, key + "\n")
        signer = signer_of_key(key)
        emit({"file": str(out), "account": signer.kid, "public_key": signer.public_key}, as_json)


@app.command()
def add(
    kind: Annotated[str, typer.Option(help=", ".join(kind.value for kind in PartyKind), show_default=False)],
    name: Annotated[str, typer.Option(show_default=False)],
    identifier: Annotated[str, typer.Option(help="USCC, or for a person the ID number.", show_default=False)],
    region: Annotated[str, typer.Option(help="Region code, e.g. 440802.", show_default=False)],
    public_key: Annotated[
        str | None,
        typer.Option(help="Compressed secp256k1 key, 66 hex digits; default: one made and kept here (demo)."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """登记参与方：在此记录，并登记上链。Onboard a party: recorded here, registered on the chain.

    示例 Example:  pingzheng party add --kind bank --name 示例银行 --identifier 91440803MA9X0002X5 --region 440803
    """
    with opened(home, as_json) as ledger:
        key = public_key or ledger.custody.public_key(*ledger.custody.create())
        (row,) = ledger.parties.onboard([NewParty(_kind(kind, "kind"), name, identifier, region, key)])
        emit(_row(row), as_json)


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
    """以主管部门名义授予签发或评估资格，从现在到某日结束。Let a party issue or assess from now to the end of a day,
    in the authority's name.

    示例 Example:  pingzheng party accredit platform S00 S51 --last-day 2029-12-31
    """
    with opened(home, as_json) as ledger:
        identifier = party_of(ledger, party)
        ledger.parties.accredit(identifier, codes, ledger.clock(), end_of_validity(day_of(last_day)))
        emit({"party": identifier, "codes": codes, "last_day": last_day}, as_json)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help=f"CSV with the columns {', '.join(COLUMNS)}.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """登记 CSV 文件中的参与方，全部或全不；错误指明行号。Onboard the parties of a CSV file, all of them or none; an
    error names the line.

    示例 Example:  pingzheng party import parties.csv
    """
    with opened(home, as_json) as ledger:
        newcomers = [_newcomer(row, f"{file.name}, row {place}") for place, row in enumerate(read_csv(file), start=1)]
        rows = ledger.parties.onboard(newcomers)
        emit_rows([_row(row) for row in rows], as_json, "参与方 Parties")


@app.command("list")
def listing(
    after: Annotated[str | None, typer.Option(help="Begin after this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """按编号列出参与方，不显示名称和证件号。Parties by id; names and identifiers are not shown.

    示例 Example:  pingzheng party list --limit 50
    """
    with opened(home, as_json) as ledger:
        emit_rows([_row(row) for row in ledger.parties.page(after, limit)], as_json, "参与方 Parties")


@app.command("api-key")
def api_key(
    party: PartyRef,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """为参与方生成 API 密钥，只显示这一次。Make an API key of a party; shown this once.

    示例 Example:  pingzheng party api-key platform
    """
    with participating(home, as_json) as ledger:
        identifier = party_of(ledger, party)
        emit({"party": identifier, "api_key": ledger.parties.new_api_key(identifier)}, as_json)


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
def rotate(
    party: PartyRef,
    public_key: PublicKey = None,
    key: Annotated[Path | None, typer.Option(help="The party's present private key file, if it keeps it.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """更换参与方的密钥，由其本人进行；更换本安装自己的参与方时先停服务。Replace a party's key: its own act. For the
    installation's own parties stop the server first.

    示例 Example:  pingzheng party rotate <party> --public-key <new> --key old.key
    """
    with opened(home, as_json) as ledger:
        identifier = party_of(ledger, party)
        fresh = public_key or _kept_key(ledger, identifier)
        try:
            row = ledger.party_keys.rotate(identifier, fresh)
        except Conflict as error:
            if error.code != "SIGNATURE_REQUIRED" or key is None:
                raise
            request = ForwardRequest(error.details["typed_data"])
            row = ledger.party_keys.rotate(identifier, fresh, sign_request(request, private_key_of(key)))
        emit(_row(row), as_json)


@app.command()
def bind(
    party: PartyRef,
    public_key: Annotated[str, typer.Option(help="66 hex digits; of SM2 after `sm2:`.", show_default=False)],
    by: Authority = "authority",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """由主管部门为参与方增加一把密钥：经办人的、设备的，或用于声明的 SM2 密钥。Bind a further key to a party, as an
    authority: an officer's, a device's, or one of SM2 for statements.

    示例 Example:  pingzheng party bind <party> --public-key sm2:<key>
    """
    with opened(home, as_json) as ledger:
        emit(_row(ledger.party_keys.bind(party_of(ledger, by), party_of(ledger, party), public_key)), as_json)


@app.command()
def retire(
    party: PartyRef,
    account: Annotated[str, typer.Argument(help="A further account of the party.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """停用增加的密钥，由参与方本人进行；它已签名并上链的仍然有效。Retire a further key: the party's own act. What
    the key signed and was anchored stays signed.

    示例 Example:  pingzheng party retire <party> <account>
    """
    with opened(home, as_json) as ledger:
        emit(_row(ledger.party_keys.retire(party_of(ledger, party), account)), as_json)


@app.command()
def recover(
    party: PartyRef,
    public_key: PublicKey = None,
    compromised_at: Annotated[
        str, typer.Option(help=f"From when the lost key counts for nothing: {TIMES}; 0: it was only lost.")
    ] = "0",
    lost: Annotated[str | None, typer.Option(help="Account to replace, if it is not the one shown.")] = None,
    by: Authority = "authority",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """由主管部门更换参与方丢失或被盗的密钥；参与方持有的仍归其所有。Replace a party's lost or stolen key, as an
    authority; what the party holds stays its own.

    示例 Example:  pingzheng party recover <party> --public-key <new> --compromised-at 2026-09-01T08:30
    """
    with opened(home, as_json) as ledger:
        since = seconds_of(compromised_at)
        identifier = party_of(ledger, party)
        fresh = public_key or _kept_key(ledger, identifier)
        row = ledger.party_keys.recover(party_of(ledger, by), identifier, fresh, since, lost=lost)
        emit(_row(row), as_json)


@app.command("report-compromise")
def report_compromise(
    party: PartyRef,
    account: Annotated[str, typer.Argument(help="A retired account of the party.", show_default=False)],
    at: Annotated[str, typer.Option(help=f"From when it counts for nothing: {TIMES}.", show_default=False)],
    by: Authority = "authority",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """报告旧密钥自某时起泄露；该时间只能提前，不能推后。Report an old key as compromised from a time on; that time
    can be moved earlier, never later.

    示例 Example:  pingzheng party report-compromise <party> <account> --at 2026-09-01T08:30
    """
    with opened(home, as_json) as ledger:
        authority, concerned = party_of(ledger, by), party_of(ledger, party)
        row = ledger.party_keys.report_compromise(authority, concerned, account, seconds_of(at))
        emit(_row(row), as_json)


@app.command("keys")
def key_history(party: PartyRef, home: Home = None, as_json: AsJson = False) -> None:
    """参与方现有和曾有的密钥。The keys that are or were a party's.

    示例 Example:  pingzheng party keys <party>
    """
    with opened(home, as_json) as ledger:
        rows = [
            {
                "account": row.account,
                "curve": suite_of_key(row.public_key).curve,
                "bound_at": row.bound_at,
                "retired_at": row.retired_at,
                "compromised_at": row.compromised_at,
            }
            for row in ledger.party_keys.history(party_of(ledger, party))
        ]
        emit_rows(rows, as_json, "密钥 Keys")


@app.command()
def roles(
    party: PartyRef,
    role: Annotated[list[Role], typer.Option(help="Repeat for each role.", show_default=False)],
    by: Authority = "authority",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """使参与方恰好具有这些角色；不能给自己。Give a party exactly these roles; never to oneself.

    示例 Example:  pingzheng party roles <party> --role consumer --role provider
    """
    with opened(home, as_json) as ledger:
        record = ledger.standing.set_roles(party_of(ledger, by), party_of(ledger, party), role)
        emit({"id": record.id, "status": record.status, "roles": ", ".join(record.roles)}, as_json)


@app.command()
def status(
    party: PartyRef,
    to: Annotated[str, typer.Argument(help="active, suspended, sanctioned, closed (final).", show_default=False)],
    reason: Annotated[str, typer.Option(help="court, sanction, investigation, lifted, …", show_default=False)],
    by: Authority = "authority",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """停用参与方、恢复参与方，或将其永久关闭。Stop a party, let it act again, or close it for good.

    示例 Example:  pingzheng party status <party> suspended --reason investigation
    """
    with opened(home, as_json) as ledger:
        record = ledger.standing.set_status(party_of(ledger, by), party_of(ledger, party), to, reason)
        emit({"id": record.id, "status": record.status, "roles": ", ".join(record.roles)}, as_json)


def _kept_key(ledger: Ledger, party: str) -> str:
    """A fresh key kept here, for a party whose key is kept here; one that a crash left unused is taken first."""
    if ledger.parties.get(party).account not in ledger.custody:
        raise InvalidInput(
            "PUBLIC_KEY_MISSING",
            "The party keeps its own key: its new public key is needed.",
            where="public-key",
            hint="The party makes it by `pingzheng key new`.",
        )
    for key in ledger.party_keys.history(party):
        if key.bound_at is None and key.account in ledger.custody:
            return key.public_key
    (account,) = ledger.custody.create()
    return ledger.custody.public_key(account)


def _newcomer(row: dict[str, str], where: str) -> NewParty:
    if missing := [name for name in COLUMNS if name not in row]:
        raise InvalidInput("CSV_COLUMN_MISSING", f"The column {missing[0]} is missing.", where=where)
    return NewParty(_kind(row["kind"], where), row["name"], row["identifier"], row["region"], row["public_key"])


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


def _row(row: Party) -> dict[str, object]:
    return {
        "id": row.id,
        "no": row.no,
        "kind": row.kind,
        "roles": ", ".join(row.roles),
        "region": row.region,
        "account": row.account,
    }
