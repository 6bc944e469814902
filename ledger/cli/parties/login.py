"""``pingzheng login``, ``logout`` and ``sessions``: a party signs in at a service with its own key."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ledger.cli.parties.options import Service
from ledger.cli.shell.files import read_bounded, signer_of
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import PARTY_ID
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows
from ledger.errors import InvalidInput, Misconfigured, Unauthenticated

if TYPE_CHECKING:
    from ledger.installation.settings import Settings
    from ledger.proof.jws import Signer

sessions = Group()

FILE: Final = "session.json"
MAX_FILE_BYTES: Final = 4096
SELF: Final = "self"
LOCAL: Final = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Kept:
    """A session as it is stored in a folder: the service's address, the party and the token."""

    service: str
    token: str
    id: str
    party: str
    account: str
    expires_at: int

    def call(self, method: str, path: str, body: object = None, query: dict[str, str] | None = None) -> Any:
        """Call the service in this session, and return its answer; raises the errors of ``HttpService.call``."""
        from ledger.domain.canonical import canonical
        from ledger.provider.service import HttpService

        raw = None if body is None else canonical(body)
        return HttpService(self.service).call(method, path, raw, query, self.token)


def login(
    party: Annotated[
        str, typer.Option(help="Your party id, 64 hex digits; default: the party of the installation in --home.")
    ] = SELF,
    key: Annotated[Path | None, typer.Option(help="Your private key file; default: the key in --home.")] = None,
    service: Service = LOCAL,
    deployment: Annotated[
        Path | None,
        typer.Option(help="The operator's deployment.json, which names the ledger; default: the file in --home."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """用自己的密钥登录服务，会话有效 30 分钟；令牌存入 --home，文件仅本人可读。Sign in at a service with your own key,
    for 30 minutes. The token is stored in --home, in a file that only you can read.

    An installation signs in for its own party with the key that it keeps. The signed statement names the service's
    address and the ledger, so nobody can use the statement at another service.

    示例 Example:  pingzheng login --service https://platform.example --party PARTY --key firm.key --deployment
    deployment.json
    """
    from ledger.chain.contracts.deployment import Deployment
    from ledger.installation.home import require_made
    from ledger.installation.local_chain import LocalClock
    from ledger.installation.settings import Settings
    from ledger.provider.service import HttpService
    from ledger.wallet.private_file import write_private

    settings = Settings.at(home)
    whose, signer = _kept_key(settings, party) if key is None else (_checked(party), signer_of(key))
    if deployment is None:
        require_made(settings.home)
    chain = Deployment.load(deployment or settings.home / "deployment.json").chain
    made = HttpService(service).sign_in(chain, whose, signer, LocalClock(settings)())
    write_private(settings.home / FILE, json.dumps({"service": service, **asdict(made)}) + "\n")
    shown = {"party": whose, "account": made.account, "service": service, "until": made.expires_at}
    emit(shown, as_json, "已登录 Signed in")


def logout(home: Home = None, as_json: AsJson = False) -> None:
    """退出登录：结束会话，删除令牌。Sign out: end the session and delete its token.

    示例 Example:  pingzheng logout
    """
    kept = kept_session(home)
    # If the session has already ended at the service, the service refuses this call. The token's file is deleted
    # anyway.
    with contextlib.suppress(Unauthenticated):
        kept.call("DELETE", "/v1/sessions/current")
    _file(home).unlink()
    emit({"party": kept.party, "signed_out": True}, as_json, "已退出 Signed out")


@sessions.command("list")
def listing(home: Home = None, as_json: AsJson = False) -> None:
    """列出本方尚未到期的会话。List the sessions of your party that have not expired.

    示例 Example:  pingzheng sessions list
    """
    items = kept_session(home).call("GET", "/v1/sessions")["items"]
    emit_rows(items, as_json, "会话 Sessions")


@sessions.command()
def end(
    session: Annotated[str, typer.Argument(help="The session's id.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """结束本方的一个会话。End a session of your party.

    示例 Example:  pingzheng sessions end 01JD8Z3W0S6V3M5E0Q9T4N7R2B
    """
    kept_session(home).call("DELETE", f"/v1/sessions/{checked_id(session)}")
    emit({"id": session, "ended": True}, as_json, "已结束 Ended")


def kept_session(home: Path | None) -> Kept:
    """Return the session stored in ``home``.

    Raises ``Unauthenticated`` ``SESSION_MISSING``, ``Misconfigured`` ``SESSION_FILE_DAMAGED``.
    """
    path = _file(home)
    if not path.exists():
        raise Unauthenticated(
            "SESSION_MISSING", "This call needs a session.", where=str(path), hint="Sign in: `pingzheng login`."
        )
    # If a person copied this file here, other users may be able to read the file. So the permissions of other users are
    # removed.
    path.chmod(0o600)
    try:
        return Kept(**json.loads(read_bounded(path, MAX_FILE_BYTES)))
    except (ValueError, TypeError):
        raise Misconfigured(
            "SESSION_FILE_DAMAGED",
            "The file does not contain a session.",
            where=str(path),
            hint="Delete it and sign in again: `pingzheng login`.",
        ) from None


def checked_id(identifier: str) -> str:
    """Return the id of a session or of an API key if it is safe in a URL; else raise ``InvalidInput`` ``ID_FORM``."""
    if not (identifier.isascii() and identifier.isalnum() and len(identifier) <= 26):
        raise InvalidInput(
            "ID_FORM", "The id has a wrong form.", where="id", hint="Copy the id from the list's first column."
        )
    return identifier


def _kept_key(settings: Settings, party: str) -> tuple[str, Signer]:
    """Return the id of a party, and a signer with the key that the installation keeps for this party. By default it is
    the installation's own party.
    """
    from ledger.cli.shell.naming import party_of
    from ledger.installation.wiring import Ledger, open_participant
    from ledger.parties.custody import Custody

    with open_participant(settings) as found:
        whose = party_of(found, party)
        if isinstance(found, Ledger):
            return whose, found.custody.signer(found.parties.register.get(whose).account)
        return whose, Custody(settings.keys_folder / "accounts.json").signer(found.client.account)


def _checked(party: str) -> str:
    if not PARTY_ID.fullmatch(party):
        raise InvalidInput(
            "LOGIN_PARTY_FORM",
            "A party must sign in with its party id, which has 64 hex digits.",
            where="--party",
            hint="Ask the operator for the id (`pingzheng party list`).",
        )
    return party


def _file(home: Path | None) -> Path:
    from ledger.installation.settings import Settings

    return Settings.at(home).home / FILE
