# SPDX-License-Identifier: Apache-2.0
"""Makes and checks the statement with which a client signs in with its key (protocol §11). Uses no clock and no
network.

The client takes only the nonce from the service and everything else from its own settings. So an attacker between
client and service cannot choose what is signed, and a statement for one origin and ledger is useless at any other
origin or ledger.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from ledger.domain.canonical import canonical, parse_json
from ledger.errors import BadBundle, InvalidInput, Unauthenticated
from ledger.proof.bundle import ChainId
from ledger.proof.jws import Jws, Signer, decode_base64url, parse_compact, sign_compact

TYP: Final = "pingzheng-session+jws"
VERSION: Final = 2
MAX_SECONDS: Final = 600
MAX_STATEMENT_BYTES: Final = 2048
MAX_TOKEN_CHARACTERS: Final = 4096
NONCE_BYTES: Final = 32
_MEMBERS: Final = {"type", "v", "origin", "chain_id", "ledger", "party", "nonce", "expires_at"}
_HEX32: Final = re.compile(r"[0-9a-f]{64}")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,45}\]")
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """The service at which a party signs in: its origin, its chain id, and its ledger (a digest, 64 hex digits)."""

    origin: str
    chain_id: int
    ledger: str

    @classmethod
    def of(cls, origin: str, chain: ChainId) -> Place:
        """Return the service at this address as a place; ``chain`` gives the chain id and the ledger."""
        return cls(origin, chain.chain_id, chain.ledger)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A well-formed statement with its signature; nothing is verified yet. ``expires_at`` is seconds UTC."""

    place: Place
    party: str
    nonce: str
    expires_at: int
    signature: Jws


def origin_of(url: str) -> str:
    """Return scheme, host and port of a service's address as browsers write an origin (RFC 6454 §6.2).

    Raises ``InvalidInput`` ``ORIGIN_INVALID`` for any other text.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _no_origin() from error
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in _PORTS or parts.username is not None or not _HOST.fullmatch(host):
        raise _no_origin()
    return f"{parts.scheme}://{host}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


def sign_in(place: Place, party: str, nonce: str, signer: Signer, expires_at: int) -> str:
    """Return the signed statement by which ``party`` signs in, as a compact JWS.

    ``expires_at`` (seconds UTC) is at most ``MAX_SECONDS`` ahead. Raises ``BadBundle`` ``SESSION_NONCE_FORM`` if the
    nonce is not base64url of 32 bytes, so that a service cannot make the client sign another text.
    """
    statement = {
        "type": "session",
        "v": VERSION,
        "origin": place.origin,
        "chain_id": place.chain_id,
        "ledger": place.ledger,
        "party": party,
        "nonce": checked_nonce(nonce),
        "expires_at": expires_at,
    }
    return sign_compact(canonical(statement), signer, TYP)


def checked_nonce(nonce: str) -> str:
    """Return the nonce if it is base64url of 32 bytes; raise ``BadBundle`` ``SESSION_NONCE_FORM``."""
    try:
        decode_base64url(nonce, NONCE_BYTES)
    except BadBundle as error:
        raise BadBundle(
            "SESSION_NONCE_FORM",
            "The service's nonce is not base64url of 32 bytes.",
            where="nonce",
            hint="Do not sign anything for this service, and check its address.",
        ) from error
    return nonce


def read_sign_in(token: str) -> SignIn:
    """Return the statement in a token; raise ``InvalidInput`` ``SESSION_STATEMENT_INVALID`` if its form is wrong."""
    try:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise ValueError("too long")
        signature = parse_compact(token, TYP)
        statement = parse_json(signature.payload, max_bytes=MAX_STATEMENT_BYTES, max_depth=2)
        if not _well_formed(statement) or canonical(statement) != signature.payload:
            raise ValueError("wrong form")
        checked_nonce(statement["nonce"])
    except (BadBundle, InvalidInput, ValueError) as error:
        raise InvalidInput(
            "SESSION_STATEMENT_INVALID",
            "This is not a signed statement for signing in.",
            where="statement",
            hint="Send a compact JWS over canonical JSON with exactly the members of protocol §11.",
        ) from error
    place = Place(statement["origin"], statement["chain_id"], statement["ledger"])
    return SignIn(place, statement["party"], statement["nonce"], statement["expires_at"], signature)


def require_place(statement: SignIn, here: Place, now: int) -> None:
    """Raise ``Unauthenticated`` unless the statement is for this service and this ledger, and has not expired.

    The codes are ``SESSION_ORIGIN_DIFFERS``, ``SESSION_LEDGER_DIFFERS`` and ``SESSION_EXPIRED``.
    """
    if statement.place.origin != here.origin:
        raise Unauthenticated(
            "SESSION_ORIGIN_DIFFERS",
            "The statement was signed for another service.",
            where="origin",
            hint="Sign in directly at the address that you want to use.",
            expected=here.origin,
        )
    if statement.place != here:
        raise Unauthenticated(
            "SESSION_LEDGER_DIFFERS",
            "The statement was signed for another ledger.",
            where="ledger",
            hint="Sign in with the deployment file of this service's ledger.",
        )
    if not now < statement.expires_at <= now + MAX_SECONDS:
        raise Unauthenticated(
            "SESSION_EXPIRED",
            f"The statement has expired, or is valid for more than {MAX_SECONDS} seconds.",
            where="expires_at",
            hint="Check the clock, and sign in again.",
        )


def _well_formed(statement: Any) -> bool:
    return (
        isinstance(statement, dict)
        and statement.keys() == _MEMBERS
        and statement["type"] == "session"
        and all(isinstance(statement[name], str) for name in ("origin", "ledger", "party", "nonce"))
        and all(type(statement[name]) is int and statement[name] >= 0 for name in ("v", "chain_id", "expires_at"))
        and statement["v"] == VERSION
        and all(_HEX32.fullmatch(statement[name]) is not None for name in ("ledger", "party"))
    )


def _no_origin() -> InvalidInput:
    return InvalidInput(
        "ORIGIN_INVALID",
        "This is not the address of a service.",
        where="origin",
        hint="Write https://host or http://host:port.",
    )
