"""Sign a veto or a key report (an act) with a party's key, write the act to a file, and send it to any node of the
chain. The service is not needed.

The file (act file) contains no secret. Whoever sends the act pays for the transaction, but cannot change the veto or
the report.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ledger.chain.contracts.deployment import Deployment, deployment_of
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.sender import Receipt
from ledger.cli.shell.files import parsed, read_text
from ledger.domain.canonical import parse_json
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.acts import report_message, sign_act, veto_message
from ledger.proof.bundle import MAX_BUNDLE_BYTES, ChainId, parse_bundle, parse_chain
from ledger.proof.jws import Signer

FORMAT: Final = "pingzheng-act/2"
MAX_ACT_BYTES: Final = 8 * 1024
_ACCOUNT: Final = re.compile(r"0x[0-9a-f]{40}")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{128}|[0-9a-f]{256}")


@dataclass(frozen=True, slots=True)
class SignedAct:
    """A signed act: a veto of ``proposal``, or a report that the key of ``reported`` is lost. ``account`` is the
    account whose key signed the act.
    """

    chain: ChainId
    account: str
    signature: bytes
    proposal: int | None = None
    reported: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the act file."""
        veto, report = {"act": "veto", "proposal": self.proposal}, {"act": "report", "reported": self.reported}
        signed = {"account": self.account, "signature": self.signature.hex(), "chain": self.chain.to_dict()}
        return {"format": FORMAT, **(veto if self.reported is None else report), **signed}

    @classmethod
    def read(cls, path: Path) -> SignedAct:
        """Read an act file; raises ``InvalidInput`` ``FILE_MISSING``, ``FILE_TOO_LARGE`` or ``ACT_FILE_INVALID``."""
        raw = read_text(path, MAX_ACT_BYTES)
        try:
            return cls._from_dict(parse_json(raw, max_bytes=MAX_ACT_BYTES))
        except (BadBundle, InvalidInput, KeyError, TypeError, ValueError) as error:
            raise InvalidInput(
                "ACT_FILE_INVALID",
                "The file contains no signed act.",
                where=str(path),
                hint="Write one with `pingzheng keys veto --out` or `pingzheng keys report --out`.",
            ) from error

    @classmethod
    def _from_dict(cls, file: Any) -> SignedAct:
        account, signature = str(file["account"]), str(file["signature"])
        if file["format"] != FORMAT or not _ACCOUNT.fullmatch(account) or not _SIGNATURE.fullmatch(signature):
            raise ValueError("another format")
        signed = cls(parse_chain(file["chain"]), account, bytes.fromhex(signature))
        if file["act"] == "report":
            return replace(signed, reported=_account(file["reported"]))
        if file["act"] != "veto" or type(file["proposal"]) is not int:
            raise ValueError("neither a veto nor a report")
        return replace(signed, proposal=file["proposal"])

    def call(self, reader: ChainReader) -> Call:
        """Return the contract call of the act. For a report, ``reader`` finds the party to which the reported account
        belongs.
        """
        if self.reported is None:
            return calls.veto_for(self.account, self.proposal or 0, self.signature)
        found = reader.account(self.reported)
        return calls.report_for(self.account, found.party_no if found else 0, self.reported, self.signature)


def signed_veto(chain: ChainId, signer: Signer, proposal: int) -> SignedAct:
    """Sign a veto of the proposal; raises ``InvalidInput`` ``ACT_SUITE_UNSUPPORTED`` for an SM2 key."""
    signature = sign_act(veto_message(chain, signer.kid, proposal), signer)
    return SignedAct(chain, signer.kid, signature, proposal=proposal)


def signed_report(chain: ChainId, signer: Signer, reported: str) -> SignedAct:
    """Sign a report that the account's key is lost.

    Raises the errors of ``signed_veto``, and ``InvalidInput`` ``ACCOUNT_FORM``.
    """
    reported = _account(reported)
    return SignedAct(
        chain, signer.kid, sign_act(report_message(chain, signer.kid, reported), signer), reported=reported
    )


def send(act: SignedAct, url: str, payer: bytes) -> Receipt:
    """Check that the node belongs to the ledger that the act names, then send the act. The payer's account pays."""
    connection = Connection(url)
    client = ChainClient(connection, deployment_of(connection, act.chain), payer.hex())
    return client.send(act.call(ChainReader(client)))


def chain_named(deployment: Path | None, bundle: Path | None) -> ChainId:
    """Return the ledger that a deployment file or a bundle names. Raises ``LEDGER_NOT_NAMED`` if neither is given."""
    if deployment is not None:
        return Deployment.load(deployment).chain
    if bundle is not None:
        return parsed(bundle, MAX_BUNDLE_BYTES, parse_bundle).chain
    raise InvalidInput(
        "LEDGER_NOT_NAMED",
        "The command does not use the service, so it must know which ledger the act is for.",
        where="deployment",
        hint="Give the operator's deployment.json with --deployment, or a bundle of the ledger with --bundle.",
    )


def reader_at(url: str, deployment: Path | None, bundle: Path | None) -> ChainReader:
    """Check that the node at ``url`` belongs to the ledger that a file names, and return a reader that asks this node.
    Raises the errors of ``chain_named``.
    """
    if deployment is not None:
        return ChainReader(ChainClient.at(url, Deployment.load(deployment)).check())
    chain, connection = chain_named(None, bundle), Connection(url)
    return ChainReader(ChainClient(connection, deployment_of(connection, chain)))


def write_act(act: SignedAct, path: Path) -> None:
    """Write the signed act to an act file."""
    path.write_text(json.dumps(act.to_dict(), indent=1) + "\n", "utf-8")


def _account(text: Any) -> str:
    if not isinstance(text, str) or not _ACCOUNT.fullmatch(text):
        raise InvalidInput("ACCOUNT_FORM", "An account has the form 0x and 40 lower-case hex digits.", where="account")
    return text
