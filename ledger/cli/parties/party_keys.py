"""``pingzheng party rotate``, ``bind``, ``retire``, ``recover``, ``date-compromise``, ``keys``: change and list a
party's keys.

If a key is lost or stolen, first report it with ``pingzheng keys report``, which takes effect at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.parties.options import PartyRef
from ledger.cli.parties.parties import app, party_shown
from ledger.cli.shell.naming import TIMES, party_of, seconds_of
from ledger.cli.shell.output import AsJson, emit_rows
from ledger.cli.shell.waiting import Authority, OwnKey, emit_done, signed_by
from ledger.errors import InvalidInput
from ledger.proof.suites.suite import suite_of_key

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.parties.proposals.proposals import Proposal

PublicKey = Annotated[
    str | None,
    typer.Option(help="The new public key, compressed, 66 hex digits; default: make a key and keep it here."),
]
Proof = Annotated[str, typer.Option(help="The proof that the party has the new key, made with `pingzheng key prove`.")]


@app.command()
def rotate(
    ledger: Ledger,
    party: PartyRef,
    public_key: PublicKey = None,
    proof: Proof = "",
    key: OwnKey = None,
    as_json: AsJson = False,
) -> None:
    """更换参与方的密钥：由参与方自己提出，等待期满后生效。更换本系统自身参与方的密钥之前，请先停止服务。Replace a
    party's key, as the party itself. The change takes effect after the waiting period. Before you replace a key of this
    installation's own parties, stop the service.

    示例 Example:  pingzheng party rotate <party> --public-key <new> --proof <proof> --key old.key
    """
    identifier = party_of(ledger, party)
    fresh = public_key or _kept_key(ledger, identifier)
    actor = ledger.actor(identifier)
    row = signed_by(key, actor, lambda acting: ledger.parties.keys.rotate(acting, identifier, fresh, proof=proof))
    _emit(ledger, identifier, row, as_json)


@app.command()
def bind(
    ledger: Ledger,
    party: PartyRef,
    public_key: Annotated[
        str,
        typer.Option(
            help="The public key, 66 hex digits, with `p256:` before a P-256 key and `sm2:` before an SM2 key.",
            show_default=False,
        ),
    ],
    proof: Proof = "",
    by: Authority = "authority",
    key: OwnKey = None,
    as_json: AsJson = False,
) -> None:
    """为参与方增加一把密钥：由参与方自己提出，或由两个主管部门决定；等待期满后生效，其间参与方任一密钥可以否决。Bind
    another key to a party. Either the party itself proposes the new key, or two authorities agree on it. The new key
    takes effect after the waiting period. During this period, any key of the party can veto the new key.

    示例 Example:  pingzheng party bind <party> --public-key sm2:<key>
    """
    actor, identifier = ledger.actor(party_of(ledger, by)), party_of(ledger, party)
    row = signed_by(key, actor, lambda acting: ledger.parties.keys.bind(acting, identifier, public_key, proof=proof))
    _emit(ledger, identifier, row, as_json)


@app.command()
def retire(
    ledger: Ledger,
    party: PartyRef,
    account: Annotated[str, typer.Argument(help="The account of the key to retire.", show_default=False)],
    key: OwnKey = None,
    as_json: AsJson = False,
) -> None:
    """停用参与方的一把密钥：由参与方自己提出，等待期满后生效；该密钥已签名并上链存证的内容仍然有效。Retire one of the
    party's keys, as the party itself. The change takes effect after the waiting period. What the key has signed stays
    valid if it is anchored before the change takes effect.

    示例 Example:  pingzheng party retire <party> <account>
    """
    identifier = party_of(ledger, party)
    actor = ledger.actor(identifier)
    row = signed_by(key, actor, lambda acting: ledger.parties.keys.retire(acting, identifier, account))
    _emit(ledger, identifier, row, as_json)


@app.command()
def recover(
    ledger: Ledger,
    party: PartyRef,
    public_key: PublicKey = None,
    proof: Proof = "",
    lost: Annotated[
        str | None, typer.Option(help="The account to be replaced; default: the party's present account.")
    ] = None,
    by: Authority = "authority",
    key: OwnKey = None,
    as_json: AsJson = False,
) -> None:
    """两个主管部门更换参与方丢失或被盗的密钥；等待期满后生效，在此期间参与方的任一密钥可以否决，包括丢失的密钥。Replace
    a party's lost or stolen key, as two authorities. The change takes effect after the waiting period. During this
    period, any key of the party can veto it, even the lost key. The party keeps its assets and certificates.

    示例 Example:  pingzheng party recover <party> --public-key <new> --proof <proof>
    """
    actor, identifier = ledger.actor(party_of(ledger, by)), party_of(ledger, party)
    fresh = public_key or _kept_key(ledger, identifier)
    row = signed_by(
        key, actor, lambda acting: ledger.parties.keys.recover(acting, identifier, fresh, proof=proof, lost=lost)
    )
    _emit(ledger, identifier, row, as_json)


@app.command("date-compromise")
def date_compromise(
    ledger: Ledger,
    party: PartyRef,
    account: Annotated[str, typer.Argument(help="A present or former account of the party.", show_default=False)],
    at: Annotated[str, typer.Option(help=f"The time from which the key is invalid: {TIMES}.", show_default=False)],
    by: Authority = "authority",
    key: OwnKey = None,
    as_json: AsJson = False,
) -> None:
    """两个主管部门认定密钥自某时起已泄露，等待期满后生效；以后只能改为更早的时间。State, as two authorities, the time
    from which a key was compromised. The statement takes effect after the waiting period. The time can later be changed
    only to an earlier one.

    示例 Example:  pingzheng party date-compromise <party> <account> --at 2026-09-01T08:30
    """
    actor, identifier = ledger.actor(party_of(ledger, by)), party_of(ledger, party)
    since = seconds_of(at)
    row = signed_by(key, actor, lambda acting: ledger.parties.keys.date_compromise(acting, identifier, account, since))
    _emit(ledger, identifier, row, as_json)


@app.command("keys")
def key_history(ledger: Ledger, party: PartyRef, as_json: AsJson = False) -> None:
    """列出参与方现有和曾有的密钥。List the present and former keys of a party.

    示例 Example:  pingzheng party keys <party>
    """
    rows = [
        {
            "account": row.account,
            "curve": suite_of_key(row.public_key).curve,
            "bound_at": row.bound_at,
            "reported_at": row.reported_at,
            "retired_at": row.retired_at,
            "compromised_at": row.compromised_at,
        }
        for row in ledger.parties.keys.history(party_of(ledger, party))
    ]
    emit_rows(rows, as_json, "密钥 Keys")


def _emit(ledger: Ledger, party: str, row: Proposal | None, as_json: bool) -> None:
    emit_done(row, lambda: party_shown(ledger, [ledger.parties.register.get(party)])[0], as_json)


def _kept_key(ledger: Ledger, party: str) -> str:
    """Return a new key for a party whose key this installation keeps.

    If a crash left a new key that is not used yet, return that key.
    """
    if ledger.parties.register.get(party).account not in ledger.custody:
        raise InvalidInput(
            "PUBLIC_KEY_MISSING",
            "The party keeps its own key, so the command needs the party's new public key.",
            where="public-key",
            hint="Let the party make a key with `pingzheng key new`.",
        )
    for key in ledger.parties.keys.history(party):
        if key.bound_at is None and key.account in ledger.custody:
            return key.public_key
    (account,) = ledger.custody.create()
    return ledger.custody.public_key(account)


party = app
