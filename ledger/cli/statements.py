"""Statement files: what a party signs with its own key, written by ``draft`` and handed in by ``submit``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.cli.files import json_in, signer_of
from ledger.cli.output import AsJson, console, emit, errors_explained
from ledger.domain.canonical import canonical, digest
from ledger.errors import InvalidInput
from ledger.proof.jws import Signer, public_jwk, sign_entry
from ledger.wallet.private_file import write_whole

MAX_STATEMENT_BYTES = 256 * 1024
Statement = Annotated[Path, typer.Argument(help="Statement file, JSON.", show_default=False)]
KeyFile = Annotated[Path, typer.Option("--key", help="The signer's private key file.", show_default=False)]


def sign(statement: Statement, key: KeyFile, as_json: AsJson = False) -> None:
    """用参与方自己的密钥签名声明文件，不需要账本和网络；其中的告知书先显示，并与声明核对。Sign a statement file with a
    party's own key; needs no ledger and no network. Notices in it are shown first, and compared with what is signed.

    示例 Example:  pingzheng sign authorization.json --key firm.key
    """
    with errors_explained(as_json):
        document, signer = read_statement(statement), signer_of(key)
        drafts = document.get("drafts", [])
        for place, draft in enumerate(drafts):
            _require_same_terms(draft, f"drafts[{place}]")
            if not as_json:
                console.print(draft["notice"]["text"], markup=False, highlight=False)
        compared = _template_of(document.get("entry", {}))
        write_statement(statement, _signed(document, signer))
        emit({"file": str(statement), "signed": True, **compared, **_parties_of(drafts, signer)}, as_json)


def _template_of(entry: dict[str, Any]) -> dict[str, Any]:
    """For a request: whether its rules are those of the scenario's file here; raises ``InvalidInput``
    ``TEMPLATE_NOT_EXPECTED`` if they are others."""
    if entry.get("type") != "request":
        return {}
    from ledger.service.scenarios import ScenarioBook
    from ledger.service.settings import Settings
    from ledger.service.templates import require_own_template

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
