"""``pingzheng enrol``: a party submits its first key, with a one-time code from an authority or an admin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.parties.login import LOCAL
from ledger.cli.parties.options import LedgerFile, Service
from ledger.cli.shell.files import signer_of
from ledger.cli.shell.output import AsJson, emit
from ledger.cli.shell.personal import members_of


def enrol(
    key: Annotated[
        Path, typer.Option(help="Your new private key file, made with `pingzheng key new`.", show_default=False)
    ],
    deployment: LedgerFile,
    code: Annotated[
        Path | None,
        typer.Option(
            "--code", help=('JSON file with the member "code"; `-`: standard input; default: ask for the code.')
        ),
    ] = None,
    service: Service = LOCAL,
    as_json: AsJson = False,
) -> None:
    """用登记码提交自己的第一个公钥，并证明持有私钥；由两个机构登记后生效。私钥不会发送。Submit your first public key,
    with the code that an institution gave you and a proof that you have the private key. The key is valid once two
    institutions have registered it. The private key is not sent.

    示例 Example:  pingzheng enrol --key mine.key --deployment deployment.json --service https://platform.example
    """
    from ledger.chain.contracts.deployment import Deployment
    from ledger.domain.canonical import canonical
    from ledger.parties.keys.possession import possession_of
    from ledger.provider.service import HttpService

    signer = signer_of(key)
    given = members_of(code, {"code": "登记码 Enrolment code"})
    proof = possession_of(Deployment.load(deployment).chain, signer)
    body = {"code": given["code"], "public_key": signer.public_key, "proof": proof}
    emit(HttpService(service).call("POST", "/v1/enrolments", canonical(body)), as_json, "已提交 Submitted")
