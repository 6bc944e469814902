"""Statement files: what a party signs with its own key, written by ``draft`` and handed in by ``submit``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger.cli.shell.files import json_in, signer_of
from ledger.cli.shell.output import AsJson, Home, console, emit, errors_explained
from ledger.domain.canonical import canonical, digest
from ledger.errors import InvalidInput, NotFound
from ledger.proof.jws import Signer, public_jwk, sign_entry
from ledger.wallet.private_file import write_whole

MAX_STATEMENT_BYTES = 256 * 1024
Statement = Annotated[Path, typer.Argument(help="Statement file, JSON.", show_default=False)]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="The signer's private key file; default: its key kept in the ledger's folder (demo).",
        show_default=False,
    ),
]
# By type of statement: the member that names the party whose key signs it.
_SIGNED_BY: Final = {
    "request": "consumer",
    "authorization": "subject",
    "provision": "provider",
    "withdrawal": "party",
    "publication": "cdo",
}


def sign(statement: Statement, key: KeyFile = None, home: Home = None, as_json: AsJson = False) -> None:
    """用参与方自己的密钥签名声明文件，不需要账本和网络；其中的告知书先显示，并与声明核对。Sign a statement file with a
    party's own key; needs no ledger and no network. Notices in it are shown first, and compared with what is signed.

    Without --key the ledger in --home signs, if it keeps the key of the statement's party, as in a demonstration.

    示例 Examples:  pingzheng sign authorization.json --key firm.key · pingzheng sign authorization.json --home var
    """
    with errors_explained(as_json):
        document = read_statement(statement)
        signer = _kept_signer(document, home) if key is None else signer_of(key)
        drafts = document.get("drafts", [])
        for place, draft in enumerate(drafts):
            _require_same_terms(draft, f"drafts[{place}]")
            if not as_json:
                console.print(draft["notice"]["text"], markup=False, highlight=False)
        compared = _template_of(document.get("entry", {}))
        write_statement(statement, _signed(document, signer))
        emit({"file": str(statement), "signed": True, **compared, **_parties_of(drafts, signer)}, as_json)


def _kept_signer(document: dict[str, Any], home: Path | None) -> Signer:
    """Signs with the key that the ledger keeps for the one party whose statement this is.

    Raises ``InvalidInput`` ``STATEMENT_SIGNER_UNKNOWN``, ``Misconfigured`` ``KEY_NOT_HELD``, and where there is no
    ledger as ``open_ledger``.
    """
    from ledger.installation.settings import Settings
    from ledger.installation.wiring import open_ledger

    try:
        with open_ledger(Settings.at(home)) as ledger:
            return ledger.custody.signer(ledger.parties.register.get(_signing_party(document)).account)
    except NotFound as error:
        if error.code == "LEDGER_MISSING":
            error.hint = (
                "用 --key 指明签名方的密钥文件，或用 --home 指明代管其密钥的账本（由 `pingzheng init` 等建立）。"
                "Give the signer's key file by --key, or the ledger that keeps the key by --home."
            )
        raise


def _signing_party(document: dict[str, Any]) -> str:
    """The one party that signs all of a file; raises ``InvalidInput`` ``STATEMENT_SIGNER_UNKNOWN``."""
    entries = [draft["entry"] for draft in document.get("drafts", [])] or [document.get("entry", document)]
    found = [entry.get(_SIGNED_BY.get(str(entry.get("type")), "")) for entry in entries]
    if not isinstance(found[0], str) or any(party != found[0] for party in found):
        raise InvalidInput(
            "STATEMENT_SIGNER_UNKNOWN",
            "The file does not name the one party whose key signs it.",
            where="--key",
            hint="Give the signer's key file by --key.",
        )
    return found[0]


def _template_of(entry: dict[str, Any]) -> dict[str, Any]:
    """For a request: whether its rules are those of the scenario's file here; raises ``InvalidInput``
    ``TEMPLATE_NOT_EXPECTED`` if they are others."""
    if entry.get("type") != "request":
        return {}
    from ledger.installation.settings import Settings
    from ledger.rulebooks.scenarios import ScenarioBook
    from ledger.rulebooks.templates import require_own_template

    return {"rules_compared": require_own_template(ScenarioBook.load(Settings.at(None).scenarios), entry)}


def _require_same_terms(draft: dict[str, Any], where: str) -> None:
    """Raise ``InvalidInput`` ``NOTICE_DIFFERS`` unless the statement allows what its notice says, and nothing else.

    Whoever wrote the file could show one notice and have another consent signed.
    """
    notice, entry = draft["notice"], draft["entry"]
    try:
        same = entry["notice_digest"] == digest(canonical(notice))
        same = same and entry["fields"] == [kind["name"] for kind in notice["kinds"]]
        same = same and entry["channel"] == notice["method"]["channel"]
        same = same and all(
            entry[name] == notice[name] for name in ("scenario", "source", "valid_from", "valid_to", "max_uses")
        )
    except (KeyError, TypeError):
        same = False
    if not same:
        raise InvalidInput(
            "NOTICE_DIFFERS",
            "The statement is not what its notice says.",
            where=where,
            hint="Do not sign it. Draft it again, or ask the platform what it gave you.",
        )


def _parties_of(drafts: list[dict[str, Any]], signer: Signer) -> dict[str, Any]:
    """Who may use what was signed, by party id, and with which key it is presented: a notice has names alone."""
    if not drafts:
        return {}
    own = public_jwk(signer.public_key).to_dict()
    others = sum(draft["entry"].get("holder_key") != own for draft in drafts)
    return {
        "consumer": ", ".join(sorted({str(draft["entry"].get("consumer")) for draft in drafts})),
        "presented_with": "another key" if others else "this key",
    }


def _signed(document: dict[str, Any], signer: Signer) -> dict[str, Any]:
    if "drafts" in document:
        drafts = [draft | {"entry": _resigned(draft["entry"], signer)} for draft in document["drafts"]]
        return document | {"drafts": drafts}
    if "entry" in document:
        return document | {"entry": _resigned(document["entry"], signer)}
    return _resigned(document, signer)


def _resigned(entry: dict[str, Any], signer: Signer) -> dict[str, Any]:
    return sign_entry({name: value for name, value in entry.items() if name != "signature"}, signer)


def read_statement(path: Path) -> dict[str, Any]:
    """The statement in a file; raises ``InvalidInput`` ``FILE_MISSING``, ``FILE_TOO_LARGE``, ``ENTRY_SHAPE``."""
    parsed = json_in(path, MAX_STATEMENT_BYTES)
    drafts = parsed.get("drafts", []) if isinstance(parsed, dict) else None
    shaped = isinstance(drafts, list) and all(isinstance(draft, dict) and _is_draft(draft) for draft in drafts)
    if not shaped or not isinstance(parsed.get("entry", {}), dict):
        raise InvalidInput("ENTRY_SHAPE", "This is no statement file.", where=str(path), hint="Draft it again.")
    found: dict[str, Any] = parsed
    return found


def signed_entries(path: Path, document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The signed entries of a statement file: of its ``drafts``, or its one ``entry``.

    Raises ``InvalidInput`` ``ENTRY_TYPE`` if it has none of that name, ``NOT_SIGNED`` if one has no signature.
    """
    entries = [draft["entry"] for draft in document.get("drafts", [])] if name == "drafts" else [document.get("entry")]
    found = [entry for entry in entries if entry]
    if not found:
        raise InvalidInput("ENTRY_TYPE", "The file holds another kind of statement.", where=str(path))
    if not all("signature" in entry for entry in found):
        raise InvalidInput(
            "NOT_SIGNED", "Nobody has signed it yet.", where=str(path), hint=f"pingzheng sign {path} --key …"
        )
    return found


def _is_draft(draft: dict[str, Any]) -> bool:
    notice = draft.get("notice")
    return isinstance(draft.get("entry"), dict) and isinstance(notice, dict) and isinstance(notice.get("text"), str)


def write_statement(path: Path, document: dict[str, Any]) -> None:
    """Write a statement as JSON that people can read; its owner alone, as a request's note may name a person."""
    write_whole(path, f"{json.dumps(document, ensure_ascii=False, indent=1)}\n".encode())
