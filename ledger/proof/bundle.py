# SPDX-License-Identifier: Apache-2.0
"""The bundle (protocol §7): one small file with everything that a verifier needs in addition to the chain."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final

from ledger.domain.canonical import parse_json
from ledger.domain.entries import unsupported_protocol
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.head import ledger_digest
from ledger.proof.jws import Jwk, entry_signature
from ledger.proof.sdjwt import MAX_CERTIFICATE_CHARACTERS

FORMAT: Final = "pingzheng-bundle/2"
MAX_BUNDLE_BYTES: Final = 256 * 1024
MAX_PROOF_NODES: Final = 32
# The maximum number of entries in a bundle: a template, a request, and for each of eight sources an authorization, a
# provision, and the withdrawals of both.
MAX_EVIDENCE: Final = 34
MAX_ENTRY_CHARACTERS: Final = 16 * 1024
_HEX32: Final = re.compile(r"[0-9a-f]{64}")
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The place of an entry: the issuer in whose log the entry is (a party number), the batch, and the index in the
    batch.
    """

    issuer: int
    batch: int
    index: int

    @property
    def log_batch(self) -> tuple[int, int]:
        """The issuer and the batch: the key with which ``anchors`` finds the batch's anchor."""
        return self.issuer, self.batch

    def to_dict(self) -> dict[str, int]:
        """Return the position as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ChainId:
    """The eight values that identify a ledger: its chain, contracts, origin and settings (protocol §1).

    Addresses are ``0x`` and 40 lower-case digits, ``origin`` is 64 hex digits, ``delay`` is in seconds.
    """

    chain_id: int
    forwarder: str
    party_registry: str
    asset_registry: str
    certificate_log: str
    origin: str
    delay: int
    threshold: int

    @property
    def ledger(self) -> str:
        """The ledger digest, computed from the eight values, 64 hex digits.

        Raises ``ValueError`` for a malformed value.
        """
        return _ledger_digest(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the eight values as a JSON object."""
        return asdict(self)


# The results are kept because a verifier computes the digest of the same ledger again and again.
@lru_cache(maxsize=64)
def _ledger_digest(chain: ChainId) -> str:
    return ledger_digest(**chain.to_dict())


@dataclass(frozen=True, slots=True)
class Anchor:
    """The values that the chain commits to for one batch of an issuer's log; ``at`` is seconds UTC."""

    issuer: int
    batch: int
    first_seq: int
    size: int
    root: bytes
    at: int

    @property
    def log_batch(self) -> tuple[int, int]:
        """The issuer and the batch: the key of this anchor in ``anchors``."""
        return self.issuer, self.batch

    def event_args(self) -> dict[str, Any]:
        """Return the arguments of the ``Anchored`` event."""
        return {
            "issuer": self.issuer,
            "batch": self.batch,
            "firstSeq": self.first_seq,
            "size": self.size,
            "root": self.root.hex(),
            "at": self.at,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the anchor as a JSON object."""
        return asdict(self) | {"root": self.root.hex()}


@dataclass(frozen=True, slots=True)
class Evidence:
    """An entry that supports the certificate, as canonical JSON, with its position in the log and its proof."""

    entry: str
    position: Position
    proof: tuple[bytes, ...]

    @property
    def statement(self) -> Mapping[str, Any]:
        """The entry, parsed but not validated; empty if the text is not a JSON object."""
        try:
            parsed = parse_json(self.entry.encode("utf-8", "replace"), max_bytes=4 * MAX_ENTRY_CHARACTERS)
        except InvalidInput:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    @property
    def signer(self) -> str | None:
        """The account named in the entry's signature; None if the signature is missing or cannot be read."""
        try:
            return entry_signature(self.statement).kid
        except (BadBundle, InvalidInput):
            return None

    def to_dict(self) -> dict[str, Any]:
        """Return the entry with its position and proof as a JSON object."""
        return {"entry": self.entry, "position": self.position.to_dict(), "proof": _hex_list(self.proof)}


@dataclass(frozen=True, slots=True)
class StatusSeen:
    """The certificate's status when the issuer made the bundle; verifiers read the present status from the chain."""

    block: int
    state: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle in memory: its form is checked, but nothing is verified."""

    chain: ChainId
    certificate: str
    position: Position
    proof: tuple[bytes, ...]
    evidence: tuple[Evidence, ...]
    anchors: tuple[Anchor, ...]
    keys: Mapping[str, Jwk]
    status: StatusSeen

    def with_certificate(self, certificate: str) -> Bundle:
        """Return a copy of the bundle that contains another presentation of the certificate."""
        return replace(self, certificate=certificate)

    def to_dict(self) -> dict[str, Any]:
        """Return the bundle as a JSON object."""
        return {
            "format": FORMAT,
            "chain": self.chain.to_dict(),
            "certificate": self.certificate,
            "position": self.position.to_dict(),
            "proof": _hex_list(self.proof),
            "evidence": [item.to_dict() for item in self.evidence],
            "anchors": [anchor.to_dict() for anchor in self.anchors],
            "keys": {account: key.to_dict() for account, key in self.keys.items()},
            "status": {"block": self.status.block, "state": self.status.state},
        }

    def to_bytes(self) -> bytes:
        """Return the content of a bundle file: JSON in UTF-8."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1).encode()


def read_bundle(raw: bytes) -> Bundle:
    """Return the bundle in a file, which may also be a file of another kind.

    Raises ``BadBundle`` ``NOT_A_BUNDLE`` if the file is not JSON text or does not name a bundle format anywhere. If the
    file names the format but has wrong contents, raises what ``parse_bundle`` raises.
    """
    try:
        return parse_bundle(raw)
    except BadBundle as error:
        if error.code not in _NO_TEXT and _NAMED in raw:
            raise
        raise BadBundle(
            "NOT_A_BUNDLE",
            "The file is not a certificate bundle, or it is incomplete or saved in another encoding.",
            where=error.where,
            hint="Ask the holder for the exported file again, and save it unchanged.",
        ) from error


def parse_bundle(raw: bytes) -> Bundle:
    """Return the bundle that a file's bytes contain.

    Raises ``BadBundle``: ``JSON_…``, ``BUNDLE_FORM``, which names the wrong member, or ``PROTOCOL_UNSUPPORTED``.
    """
    try:
        parsed = parse_json(raw, max_bytes=MAX_BUNDLE_BYTES, max_depth=16)
        if isinstance(parsed, dict) and _of_another_protocol(parsed.get("format")):
            raise unsupported_protocol("format")
        return _bundle(_members(parsed, "bundle", *_BUNDLE))
    except InvalidInput as error:
        hint = error.hint if error.code == "PROTOCOL_UNSUPPORTED" else "Ask the holder for the bundle again."
        raise BadBundle(error.code, error.message, where=error.where, hint=hint) from error


# The error codes of ``parse_json`` for a file that is not JSON at all.
_NO_TEXT: Final = frozenset({"JSON_MALFORMED", "JSON_NOT_UTF8", "JSON_TOO_DEEP", "JSON_TOO_LARGE"})
_NAMED: Final = b"pingzheng-bundle/"
_BUNDLE: Final = ("format", "chain", "certificate", "position", "proof", "evidence", "anchors", "keys", "status")


def _of_another_protocol(named: object) -> bool:
    return isinstance(named, str) and named.startswith(_NAMED.decode()) and named != FORMAT


def _bundle(raw: Mapping[str, Any]) -> Bundle:
    if raw["format"] != FORMAT:
        raise _bad("format", f"The format must be {FORMAT}.")
    if not isinstance(raw["keys"], dict) or len(raw["keys"]) > MAX_EVIDENCE + 1:
        raise _bad("keys", f"An object with at most {MAX_EVIDENCE + 1} keys is expected.")
    status = _members(raw["status"], "status", "block", "state")
    return Bundle(
        chain=parse_chain(raw["chain"]),
        certificate=_text(raw["certificate"], "certificate", MAX_CERTIFICATE_CHARACTERS),
        position=_position(raw["position"], "position"),
        proof=_proof(raw["proof"], "proof"),
        evidence=tuple(
            _evidence(item, f"evidence[{place}]") for place, item in enumerate(_list(raw["evidence"], "evidence"))
        ),
        anchors=tuple(
            _anchor(item, f"anchors[{place}]") for place, item in enumerate(_list(raw["anchors"], "anchors"))
        ),
        keys={_address(account, "keys"): Jwk.from_dict(key) for account, key in raw["keys"].items()},
        status=StatusSeen(_integer(status["block"], "status.block"), _text(status["state"], "status.state", 32)),
    )


def parse_chain(raw: Any, where: str = "chain") -> ChainId:
    """Return the eight values that identify a ledger from a ``chain`` object; raise ``BadBundle`` ``BUNDLE_FORM``."""
    chain = _members(raw, where, *(item.name for item in fields(ChainId)))
    chain_id, delay, threshold = (
        _integer(chain[each], f"{where}.{each}") for each in ("chain_id", "delay", "threshold")
    )
    addresses = ("forwarder", "party_registry", "asset_registry", "certificate_log")
    forwarder, parties, assets, log = (_address(chain[each], f"{where}.{each}") for each in addresses)
    origin = _hash(chain["origin"], f"{where}.origin").hex()
    return ChainId(chain_id, forwarder, parties, assets, log, origin, delay, threshold)


def _position(raw: Any, where: str) -> Position:
    position = _members(raw, where, "issuer", "batch", "index")
    return Position(*(_integer(position[name], f"{where}.{name}") for name in ("issuer", "batch", "index")))


def _evidence(raw: Any, where: str) -> Evidence:
    item = _members(raw, where, "entry", "position", "proof")
    return Evidence(
        _text(item["entry"], f"{where}.entry", MAX_ENTRY_CHARACTERS),
        _position(item["position"], f"{where}.position"),
        _proof(item["proof"], f"{where}.proof"),
    )


def _anchor(raw: Any, where: str) -> Anchor:
    anchor = _members(raw, where, "issuer", "batch", "first_seq", "size", "root", "at")
    issuer, batch, first_seq, size, at = (
        _integer(anchor[name], f"{where}.{name}") for name in ("issuer", "batch", "first_seq", "size", "at")
    )
    return Anchor(issuer, batch, first_seq, size, _hash(anchor["root"], f"{where}.root"), at)


def _proof(raw: Any, where: str) -> tuple[bytes, ...]:
    if not isinstance(raw, list) or len(raw) > MAX_PROOF_NODES:
        raise _bad(where, f"A list of at most {MAX_PROOF_NODES} nodes is expected.")
    return tuple(_hash(node, where) for node in raw)


def _members(raw: Any, where: str, *names: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict) or raw.keys() != set(names):
        raise _bad(where, f"An object with exactly these members is expected: {', '.join(names)}.")
    return raw


def _list(raw: Any, where: str) -> Sequence[Any]:
    if not isinstance(raw, list) or len(raw) > MAX_EVIDENCE:
        raise _bad(where, f"A list of at most {MAX_EVIDENCE} items is expected.")
    return raw


def _text(raw: Any, where: str, limit: int) -> str:
    if not isinstance(raw, str) or not 1 <= len(raw) <= limit:
        raise _bad(where, f"A text of 1 to {limit} characters is expected.")
    return raw


def _integer(raw: Any, where: str) -> int:
    if type(raw) is not int or raw < 0:
        raise _bad(where, "An integer of 0 or more is expected.")
    return raw


def _address(raw: Any, where: str) -> str:
    if not isinstance(raw, str) or not _ADDRESS.fullmatch(raw):
        raise _bad(where, "0x and 40 lower-case hex digits are expected.")
    return raw


def _hash(raw: Any, where: str) -> bytes:
    if not isinstance(raw, str) or not _HEX32.fullmatch(raw):
        raise _bad(where, "64 lower-case hex digits are expected.")
    return bytes.fromhex(raw)


def _bad(where: str, message: str) -> BadBundle:
    return BadBundle("BUNDLE_FORM", message, where=where, hint="Ask the holder for the bundle again.")


def _hex_list(nodes: Sequence[bytes]) -> list[str]:
    return [node.hex() for node in nodes]
