"""``pingzheng keys``: handle proposals (list, confirm, carry out, cancel, veto), report lost keys, and watch keys."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.sending.sender import Receipt
from ledger.chain.withdrawing import payer_of
from ledger.cli.parties.direct_acts import SignedAct, chain_named, send, signed_report, signed_veto, write_act
from ledger.cli.parties.options import DirectNode, Out, PartyRef, Payer
from ledger.cli.parties.parties import party_shown
from ledger.cli.parties.watch import BundleFile, DeploymentFile, watch
from ledger.cli.shell.files import json_in, key_in, private_key_of, signer_of, write_private
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import actor_of, party_of
from ledger.cli.shell.opening import opened, participating
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, print_json
from ledger.cli.shell.waiting import (
    Authority,
    OwnKey,
    emit_done,
    emit_proposal,
    emit_proposals,
    proposal_shown,
    signed_by,
)
from ledger.errors import InvalidInput
from ledger.proof.acts import report_message, sign_act, veto_message
from ledger.proof.bundle import ChainId
from ledger.proof.jws import Signer

if TYPE_CHECKING:
    from ledger.installation.participant import Participant
    from ledger.parties.roles import Actor
app = Group()

Number = Annotated[int, typer.Argument(min=1, help="The proposal's number.", show_default=False)]
PartyKey = Annotated[
    Path | None, typer.Option("--key", help="Private key file of the party, if its key is not kept here.")
]
TITLE = "提案 Proposals"
MAX_LIST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Direct:
    """The options of an act that a key of the party signs, and that can be sent without the service."""

    key: PartyKey = None
    deployment: DeploymentFile = None
    bundle: BundleFile = None
    rpc_url: DirectNode = None
    payer: Payer = None
    out: Out = None

    @property
    def without_service(self) -> bool:
        """Whether the service is not needed: the options name the ledger, or a file for the signed act."""
        return any(each is not None for each in (self.deployment, self.bundle, self.out))


@app.command()
def pending(
    ledger: Participant,
    party: Annotated[str | None, typer.Option(help="List only proposals about this party: party id or USCC.")] = None,
    as_json: AsJson = False,
) -> None:
    """列出所有待生效的提案：内容、提出方、期限，以及如何阻止。List all pending proposals: what each proposes, who
    proposed it, its deadlines, and how to stop it.

    示例 Examples:  pingzheng keys pending · pingzheng keys pending --party 91440803MA9X0002X5
    """
    rows = ledger.proposals.pending(None if party is None else party_of(ledger, party))
    emit_proposals(rows, as_json, TITLE)


@app.command()
def show(
    ledger: Participant,
    number: Number,
    list_out: Annotated[
        Path | None,
        typer.Option(
            help="File to which the list of parties to be registered is written, for the institution that confirms. "
            "The list contains their identities: give it to that institution only."
        ),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option("--list", help="File that --list-out wrote: check it against the proposal, and show its parties."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """显示一项提案，无论待生效还是已结束；附名单的，核对名单，并显示将登记的各方。Show one proposal, pending or ended.
    If the list of parties is given, check it and show the parties that would be registered.

    The chain proves each party's id, and the id proves the party's kind and identifier. Nothing proves the name: the
    proposing institution only states it.

    示例 Examples:  pingzheng keys show 7 · pingzheng keys show 7 --list-out parties.json · pingzheng keys show 7 --list
    parties.json
    """
    row = ledger.proposals.get(number)
    if list_out is not None:
        file = ledger.proposals.listed(_own_office(ledger), number)
        write_private(list_out, json.dumps(file, ensure_ascii=False, indent=1) + "\n")
    if listed is None:
        emit_proposal(row, as_json)
        return
    parties = [asdict(each) for each in ledger.proposals.identities(number, _list_in(listed))]
    if as_json:
        print_json(proposal_shown(row) | {"parties": parties})
        return
    emit_proposal(row, as_json)
    emit_rows(parties, as_json, "登记对象 Parties")


@app.command()
def confirm(
    ledger: Participant,
    number: Number,
    by: Authority = "authority",
    key: OwnKey = None,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list", help="File that --list-out wrote; needed if another installation proposed to register parties."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """由第二个同类机构确认提案，不能是提出方，也不能是提案涉及的参与方；确认前请核对内容。Confirm a proposal as a
    second party with the same role. The party that proposed it and the party that it concerns cannot confirm it. Read
    the proposal first: `pingzheng keys show`.

    示例 Example:  pingzheng keys confirm 7 --by 11440800MB9X00023K
    """
    office, parties = actor_of(ledger, by), None if listed is None else _list_in(listed)
    row = signed_by(key, office, lambda acting: ledger.proposals.confirm(acting, number, listed=parties))
    emit_proposal(row, as_json)


@app.command("carry-out")
def carry_out(
    ledger: Participant,
    number: Annotated[
        int | None,
        typer.Argument(min=1, help="The proposal's number; default: all proposals whose waiting period is over."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """执行已到生效时间的提案；运行中的服务会自行执行。Carry out proposals whose waiting period is over. A running
    service also carries them out by itself.

    示例 Examples:  pingzheng keys carry-out · pingzheng keys carry-out 7
    """
    if number is not None:
        emit_proposal(ledger.proposals.carry_out(number), as_json)
        return
    emit_proposals(ledger.proposals.tick(), as_json, "已执行 Carried out")


@app.command()
def cancel(
    ledger: Participant, number: Number, by: Authority = "authority", key: OwnKey = None, as_json: AsJson = False
) -> None:
    """取消提案：提案方和同类的任何机构都可以取消。要阻止更换自己密钥的提案，请用否决。Cancel a proposal, as the
    party that proposed it or any party with the same role. To stop a proposal about your own keys, veto it instead.

    示例 Example:  pingzheng keys cancel 7
    """
    office = actor_of(ledger, by)
    emit_proposal(signed_by(key, office, lambda acting: ledger.proposals.cancel(acting, number)), as_json)


@app.command()
def veto(
    number: Number,
    by: Annotated[
        str | None,
        typer.Option(
            help="The party whose keys would change: party id or USCC; default: the party of --key, or of this "
            "installation."
        ),
    ] = None,
    *,
    direct: Direct,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """否决更换本参与方密钥的提案：提案时有效的任一密钥都可以，已挂失的也可以。Veto a change of your own party's keys,
    with any key that was not retired at the time of the proposal. A key that was reported as lost can veto too.

    With --deployment or --bundle no service is needed: the veto is sent to the node at --rpc-url. With --out the signed
    veto is written to a file that anybody can send (`pingzheng keys send`). For a P-256 key, give --payer.

    示例 Examples:  pingzheng keys veto 7 --key firm.key · pingzheng keys veto 7 --key firm.key --deployment
    deployment.json --rpc-url http://node:8545 · pingzheng keys veto 7 --key phone.key --bundle bundle.json --out
    act.json
    """
    if direct.without_service:
        _by_itself(direct, lambda chain, signer: signed_veto(chain, signer, number), as_json)
        return
    with participating(home, as_json) as ledger:
        signer = None if direct.key is None else signer_of(direct.key)
        actor = ledger.actor(_party_that_vetoes(ledger, by, signer))
        act = None if signer is None else sign_act(veto_message(ledger.reader.chain, signer.kid, number), signer)
        account = None if signer is None else signer.kid
        emit_proposal(ledger.proposals.veto(actor, number, act=act, account=account), as_json)


@app.command()
def report(
    party: PartyRef,
    account: Annotated[str, typer.Argument(help="The account whose key is lost or stolen.", show_default=False)],
    by: Annotated[str | None, typer.Option(help="The authority that reports the key; default: its own party.")] = None,
    *,
    direct: Direct,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """挂失丢失或被盗的密钥，立即生效。本参与方可用任一密钥挂失；一个主管部门也可挂失（主管部门、监管方的密钥除外）。Report
    a lost or stolen key, with any key of the same party or as one authority. The report takes effect at once: the
    reported key can then only veto proposals, withdraw a subject's consents, and report keys of the same party.

    The key of an authority or a supervisor can be reported by the party itself, or by two authorities after the waiting
    period.

    With --deployment or --bundle no service is needed: the report is sent to the node at --rpc-url. With --out the
    signed report is written to a file that anybody can send (`pingzheng keys send`). For a P-256 key, give --payer.

    示例 Examples:  pingzheng keys report <party> <account> --by authority · pingzheng keys report <party> <account>
    --key firm.key --deployment deployment.json --rpc-url http://node:8545
    """
    if direct.without_service:
        _by_itself(direct, lambda chain, signer: signed_report(chain, signer, account), as_json)
        return
    with opened(home, as_json) as ledger:
        concerned = party_of(ledger, party)
        actor = ledger.actor(concerned) if by is None else actor_of(ledger, by)
        if direct.key is None or actor.party != concerned:
            keys = ledger.parties.keys
            row = signed_by(direct.key, actor, lambda acting: keys.report(acting, concerned, account))
        else:
            signer = signer_of(direct.key)
            act = sign_act(report_message(ledger.reader.chain, signer.kid, account), signer)
            row = ledger.parties.keys.report(actor, concerned, account, act=act, signer=signer.kid)
        emit_done(
            row,
            lambda: party_shown(ledger, [ledger.parties.register.get(concerned)])[0] | {"reported": account},
            as_json,
        )


@app.command("send")
def send_act(
    act: Annotated[Path, typer.Argument(help="The act file that --out wrote.", show_default=False)],
    rpc_url: Annotated[
        str,
        typer.Option(
            help="Address of a node of the chain.",
            envvar="PINGZHENG_RPC_URL",
            show_default=False,
            prompt="链的节点 Node of the chain",
        ),
    ],
    payer: Annotated[
        Path,
        typer.Option(
            help="Key file of the account that sends the act and pays for the transaction.",
            show_default=False,
            prompt="付费方的密钥文件 Key file of the account that pays",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """发送他人已签名的否决或挂失；发送方付费，不能改动内容。Send a veto or a key report that another party has signed.
    The sender pays for the transaction, and cannot change what was signed.

    示例 Example:  pingzheng keys send act.json --rpc-url http://node:8545 --payer friend.key
    """
    signed = SignedAct.read(act)
    _emit_sent(signed, send(signed, rpc_url, private_key_of(payer)), as_json)


app.command("watch")(watch)


def _by_itself(direct: Direct, sign: Callable[[ChainId, Signer], SignedAct], as_json: bool) -> None:
    """Sign the act, then send it to a node or write it to a file. The service is not needed."""
    chain = chain_named(direct.deployment, direct.bundle)
    private_key, signer = key_in(_required(direct.key))
    act = sign(chain, signer)
    if direct.out is not None:
        write_act(act, direct.out)
        emit({"file": str(direct.out), "next": f"pingzheng keys send {shlex.quote(str(direct.out))}"}, as_json)
        return
    if direct.rpc_url is None:
        raise InvalidInput(
            "RPC_URL_MISSING", "No node is given to send the act to.", where="rpc-url", hint="Give --rpc-url or --out."
        )
    paying = payer_of(
        private_key,
        signer.algorithm["alg"],
        None if direct.payer is None else private_key_of(direct.payer),
        "Name another account that sends the act and pays (`--payer`), or write the act to a file (`--out`).",
    )
    _emit_sent(act, send(act, direct.rpc_url, paying), as_json)


def _emit_sent(act: SignedAct, receipt: Receipt, as_json: bool) -> None:
    done: dict[str, Any] = {"vetoed": act.proposal} if act.reported is None else {"reported": act.reported}
    emit(done | {"at": receipt.time, "tx": receipt.tx_hash, "gas": receipt.gas_used}, as_json)


def _own_office(ledger: Participant) -> Actor:
    """Return the acting party. In the operator's installation this is an authority, in a joined installation its own
    party.
    """
    from ledger.installation.wiring import Ledger

    return ledger.authority if isinstance(ledger, Ledger) else ledger.actor(ledger.party)


def _party_that_vetoes(ledger: Participant, by: str | None, signer: Signer | None) -> str:
    """Return the party that vetoes: the party named by ``by``, else the party of the signing key, else the
    installation's own party.
    """
    record = None if by is not None or signer is None else ledger.reader.account(signer.kid)
    return party_of(ledger, by or "self") if record is None else ledger.reader.party_id(record.party_no)


def _required(key: Path | None) -> Path:
    if key is None:
        raise InvalidInput("KEY_MISSING", "A key of the party must sign the act.", where="key", hint="Give --key FILE.")
    return key


def _list_in(path: Path) -> dict[str, Any]:
    listed = json_in(path, MAX_LIST_BYTES)
    if not isinstance(listed, dict):
        raise InvalidInput("REGISTRATION_LIST_INVALID", "The file contains no list of parties.", where=str(path))
    return listed
