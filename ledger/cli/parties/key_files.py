"""``pingzheng key``: makes key files, proofs that a party has a key, and an authority's office file. Needs no
network.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.parties.options import LedgerFile
from ledger.cli.shell.files import MAX_KEY_BYTES, line_in, signer_of
from ledger.cli.shell.group import Group
from ledger.cli.shell.output import AsJson, emit
from ledger.errors import Conflict
from ledger.parties.custody import new_key, signer_of_key
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3
from ledger.wallet.private_file import write_private

app = Group()

KeyFile = Annotated[Path, typer.Argument(help="File with the private key.", show_default=False)]


class Suite(StrEnum):
    """The signature suites that a new key can have."""

    ES256K = "es256k"
    ES256 = "es256"
    SM2 = "sm2"


SUITES = {Suite.ES256K: ES256K, Suite.ES256: ES256, Suite.SM2: SM2SM3}


@app.command("new")
def new(
    out: Annotated[Path, typer.Argument(help="New file to which the private key is written, readable only by you.")],
    suite: Annotated[
        Suite, typer.Option(help="Kind of key. es256: P-256, as in wallets and phones; sm2: signs only statements.")
    ] = Suite.ES256K,
    as_json: AsJson = False,
) -> None:
    """生成密钥，显示账户和公钥。Make a key, and print its account and public key.

    示例 Examples:  pingzheng key new firm.key · pingzheng key new phone.key --suite es256
    """
    _require_free(out)
    key = new_key(SUITES[suite])
    write_private(out, key + "\n")
    signer = signer_of_key(key)
    emit({"file": str(out), "account": signer.kid, "public_key": signer.public_key}, as_json)


@app.command()
def prove(
    key: KeyFile,
    deployment: LedgerFile,
    number: Annotated[
        int,
        typer.Option(min=0, help="The party's number on the chain; 0 if this is the party's first key."),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """证明持有密钥：用私钥签名，声明该密钥属于本账本的参与方；登记或更换密钥时提交。Sign, with your
    private key, that the key belongs to a party of this ledger. Submit this proof together with the public key.

    This command needs no network. The chain cannot check the proof of an SM2 key, so the institutions that register the
    key check the proof.

    示例 Example:  pingzheng key prove firm.key --deployment deployment.json
    """
    from ledger.chain.contracts.deployment import Deployment
    from ledger.parties.keys.possession import possession_of

    signer = signer_of(key)
    chain = Deployment.load(deployment).chain
    shown = {
        "file": str(key),
        "account": signer.kid,
        "public_key": signer.public_key,
        "proof": possession_of(chain, signer, number),
        "ledger": chain.ledger,
    }
    emit(shown, as_json, "持有证明 Proof of possession")


@app.command()
def office(
    key: KeyFile,
    name: Annotated[str, typer.Option(help="Name of the institution.", show_default=False)],
    uscc: Annotated[str, typer.Option(help="The institution's unified social credit code.", show_default=False)],
    region: Annotated[str, typer.Option(help="Region code, e.g. 440800.", show_default=False)],
    out: Annotated[Path, typer.Option(help="New file to which the office file is written.")] = Path("office.json"),
    as_json: AsJson = False,
) -> None:
    """写出机构文件并用本机构的密钥签名，交给运行 `pingzheng init` 的一方；私钥留在本机构。Write a file with an
    institution's name and public key, signed with the institution's key. Then give the file to the party that runs
    `pingzheng init`. The private key stays with the institution.

    示例 Example:  pingzheng key office office.key --name 示例监管局 --uscc 11440800MB9X00015Q --region 440800
    """
    from ledger.parties.offices import dump_office, office_file

    _require_free(out)
    account = signer_of(key).kid
    file = office_file(line_in(key, MAX_KEY_BYTES), name, uscc, region)
    out.write_text(dump_office(file), "utf-8")
    emit({"file": str(out), "account": account}, as_json, "机构文件 Office file")


def _require_free(out: Path) -> None:
    if out.exists():
        raise Conflict("FILE_EXISTS", "The file exists already.", where=str(out), hint="Choose another name.")
