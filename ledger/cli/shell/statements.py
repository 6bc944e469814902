"""Statement files contain statements that a party signs with its own key. The commands ``draft`` write such files, and
the commands ``submit`` send the signed statements.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger.cli.shell.files import json_in, signer_of
from ledger.cli.shell.output import AsJson, Home, Yes, ask, console, emit
from ledger.domain.canonical import canonical, digest
from ledger.errors import InvalidInput, Misconfigured, NotFound
from ledger.proof.jws import Signer, public_jwk, sign_entry
from ledger.wallet.private_file import write_whole

MAX_STATEMENT_BYTES = 256 * 1024
Statement = Annotated[Path, typer.Argument(help="JSON file with the statement.", show_default=False)]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="The signer's private key file; default: the key that the ledger's folder keeps for the signer (demo).",
        show_default=False,
    ),
]
# Maps each type of statement to the member of the statement that names the signing party.
_SIGNED_BY: Final = {
    "request": "consumer",
    "authorization": "subject",
    "provision": "provider",
    "withdrawal": "party",
    "publication": "cdo",
}


def sign(
    statement: Statement,
    key: KeyFile = None,
    yes: Yes = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """用参与方自己的密钥签署声明文件，不需要账本和网络：先显示内容，核对告知书与声明，询问后签署。Sign a statement file
    with a party's own key, without a ledger or a network. The command shows the statement, compares it with its notice,
    asks whether to sign, and then signs.

    The command asks only on a terminal, and not if --yes or --json is given. Without --key, it signs with the party's
    key in the ledger's folder (--home), if the folder has the key.

    示例 Examples:  pingzheng sign authorization.json --key firm.key · pingzheng sign authorization.json --home var
    """
    document = read_statement(statement)
    signer = _kept_signer(document, home, as_json) if key is None else signer_of(key)
    drafts = document.get("drafts", [])
    for place, draft in enumerate(drafts):
        _require_same_terms(draft, f"drafts[{place}]")
        if not as_json:
            console.print(draft["notice"]["text"], markup=False, highlight=False)
    compared = _template_of(document.get("entry", {}))
    if not drafts and not as_json:
        shown = {name: value for name, value in document.get("entry", document).items() if name != "signature"}
        emit(shown, False, "待签署的声明 Statement to sign")
    ask(f"签署后无法收回，确认签署？ Sign {statement}? A signature cannot be undone.", yes, as_json)
    write_statement(statement, _signed(document, signer))
    emit({"file": str(statement), "signed": True, **compared, **_parties_of(drafts, signer)}, as_json)


def signing_line(statement: Path, home: Path | None) -> str:
    """Return a command with which the user can sign a statement: with the key that the ledger keeps, or else with a key
    file.
    """
    return shlex.join(["pingzheng", "sign", str(statement), *([] if home is None else ["--home", str(home)])])


def _kept_signer(document: dict[str, Any], home: Path | None, as_json: bool) -> Signer:
    """Return a signer with the key that the ledger keeps for the party that must sign.

    If the ledger does not keep the key, ask for the key file on a terminal.

    Raises ``InvalidInput`` ``STATEMENT_SIGNER_UNKNOWN``, ``Misconfigured`` ``KEY_NOT_HELD``, and the errors of
    ``open_ledger``.
    """
    from ledger.installation.settings import Settings
    from ledger.installation.wiring import open_ledger

    try:
        with open_ledger(Settings.at(home)) as ledger:
            return ledger.custody.signer(ledger.parties.register.get(_signing_party(document)).account)
    except (Misconfigured, NotFound) as error:
        if error.code in ("KEY_NOT_HELD", "LEDGER_MISSING") and sys.stdin.isatty() and not as_json:
            return signer_of(Path(typer.prompt("签名方的密钥文件 Key file of the signer", err=True)))
        if error.code == "KEY_NOT_HELD":
            error.hint = (
                "该账本没有代管签名方的密钥：请用 --key 指明其密钥文件。"
                "This ledger does not keep the signer's key: give the key file with --key."
            )
        if error.code == "LEDGER_MISSING":
            error.hint = (
                "请用 --key 指明签名方的密钥文件，或用 --home 指明代管其密钥的账本（由 `pingzheng init` 等建立）。"
                "Give the signer's key file with --key, or the folder of the ledger that keeps the key with --home."
            )
        raise


def _signing_party(document: dict[str, Any]) -> str:
    """Return the id of the party that must sign all statements of a file.

    Raises ``InvalidInput`` ``STATEMENT_SIGNER_UNKNOWN`` if the file does not name exactly one party.
    """
    entries = [draft["entry"] for draft in document.get("drafts", [])] or [document.get("entry", document)]
    found = [entry.get(_SIGNED_BY.get(str(entry.get("type")), "")) for entry in entries]
    if not isinstance(found[0], str) or any(party != found[0] for party in found):
        raise InvalidInput(
            "STATEMENT_SIGNER_UNKNOWN",
            "The file does not name a single party as the signer of all its statements.",
            where="--key",
            hint="Give the signer's key file with --key.",
        )
    return found[0]


def _template_of(entry: dict[str, Any]) -> dict[str, Any]:
    """If the entry is a request and this computer has the scenario's file, compare the rules in the request with the
    file.

    Returns members that show the user what was compared. The map is empty for statements that are not requests.

    Raises ``InvalidInput`` ``TEMPLATE_NOT_EXPECTED`` if the rules differ.
    """
    if entry.get("type") != "request":
        return {}
    from ledger.installation.settings import Settings
    from ledger.rulebooks.scenarios import ScenarioBook
    from ledger.rulebooks.templates import require_own_template

    return {"rules_compared": require_own_template(ScenarioBook.load(Settings.at(None).scenarios), entry)}


def _require_same_terms(draft: dict[str, Any], where: str) -> None:
    """Raise ``InvalidInput`` ``NOTICE_DIFFERS`` unless the statement allows exactly what its notice describes.

    Without this check, the author of the file could show the subject one notice and let the subject sign a different
    authorization.
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
            "The statement does not allow exactly what its notice describes.",
            where=where,
            hint="Do not sign the statement. Draft it again, or ask the platform for an explanation.",
        )


def _parties_of(drafts: list[dict[str, Any]], signer: Signer) -> dict[str, Any]:
    """Return what the notice does not show: the party ids of the consumers, and whether the signer's key can present
    the certificates.
    """
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
    """Return the statement in a file. Raises ``InvalidInput`` ``FILE_MISSING``, ``FILE_TOO_LARGE`` or
    ``ENTRY_SHAPE``.
    """
    parsed = json_in(path, MAX_STATEMENT_BYTES)
    drafts = parsed.get("drafts", []) if isinstance(parsed, dict) else None
    shaped = isinstance(drafts, list) and all(isinstance(draft, dict) and _is_draft(draft) for draft in drafts)
    if not shaped or not isinstance(parsed.get("entry", {}), dict):
        raise InvalidInput(
            "ENTRY_SHAPE", "The file is not a statement file.", where=str(path), hint="Draft the statement again."
        )
    found: dict[str, Any] = parsed
    return found


def signed_entries(path: Path, document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the signed entries of a statement file: the entries of its ``drafts``, or its only ``entry``.

    ``name`` is "drafts" or "entry". Raises ``InvalidInput`` ``ENTRY_TYPE`` if the file has no entries under this name,
    ``NOT_SIGNED`` if an entry has no signature.
    """
    entries = [draft["entry"] for draft in document.get("drafts", [])] if name == "drafts" else [document.get("entry")]
    found = [entry for entry in entries if entry]
    if not found:
        raise InvalidInput("ENTRY_TYPE", "The file contains another kind of statement.", where=str(path))
    if not all("signature" in entry for entry in found):
        raise InvalidInput("NOT_SIGNED", "The statement is not signed.", where=str(path), hint=signing_line(path, None))
    return found


def _is_draft(draft: dict[str, Any]) -> bool:
    notice = draft.get("notice")
    return isinstance(draft.get("entry"), dict) and isinstance(notice, dict) and isinstance(notice.get("text"), str)


def write_statement(path: Path, document: dict[str, Any]) -> None:
    """Write a statement as indented JSON. Only the file's owner can read it, because a note in the statement may name a
    person.
    """
    write_whole(path, f"{json.dumps(document, ensure_ascii=False, indent=1)}\n".encode())
