# SPDX-License-Identifier: Apache-2.0
"""Digests of contract events, and the running heads that chain these digests (protocol §3).

``contracts/libraries/EventHead.sol`` is the second implementation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from operator import index
from typing import Any, Final

_GENESIS_TAG: Final = b"pingzheng/head/v2"
_LEDGER_TAG: Final = b"pingzheng/ledger/v2"

# The tag of each event, and the fields that are hashed, in order. ``uint`` is an unsigned integer or a boolean,
# ``bytes32`` and ``bytes8`` are hex digits, ``address`` is 0x and hex digits.
EVENTS: Final[Mapping[str, tuple[str, tuple[tuple[str, str], ...]]]] = {
    name: (tag, tuple((field.partition(":")[0], field.partition(":")[2] or "uint") for field in fields.split()))
    for name, tag, fields in (
        ("CertificateLog.Anchored", "log/anchored/v2", "issuer batch firstSeq size root:bytes32 at"),
        ("CertificateLog.StatusChanged", "log/status/v2", "issuer batch word mask status reason at"),
        ("CertificateLog.Superseded", "log/superseded/v2", "issuer batch index newBatch newIndex at"),
        ("CertificateLog.Used", "log/used/v2", "consumer request:bytes32 ordinal at"),
        ("CertificateLog.Withdrawn", "log/withdrawn/v2", "party statement:bytes32 reported at"),
        ("CertificateLog.Held", "log/held/v2", "statement:bytes32 offices change reason at by"),
        ("PartyRegistry.PartyRegistered", "party/registered/v1", "no id:bytes32 at by"),
        ("PartyRegistry.AccountBound", "party/bound/v2", "no account:address proven proposal at by"),
        ("PartyRegistry.AccountRetired", "party/retired/v2", "no account:address proposal at by"),
        ("PartyRegistry.AccountReported", "party/reported/v1", "no account:address at by"),
        ("PartyRegistry.AccountCompromised", "party/compromised/v1", "no account:address compromisedAt at by"),
        ("PartyRegistry.RolesChanged", "party/roles/v1", "no roles at by"),
        ("PartyRegistry.PartyStatusChanged", "party/status/v1", "no status reason at by"),
        ("PartyRegistry.Accredited", "party/accredited/v1", "no scenario:bytes8 from to at by"),
        ("PartyRegistry.Proposed", "party/proposed/v1", "no act:bytes32 role concerned ready at by"),
        ("PartyRegistry.Confirmed", "party/confirmed/v1", "no at by"),
        ("PartyRegistry.ProposalEnded", "party/ended/v1", "no state account:address at by"),
        ("PartyRegistry.Paused", "party/paused/v1", "until at by"),
        ("PartyRegistry.PauseEnded", "party/pause-ended/v1", "at by"),
        (
            "AssetRegistry.Registered",
            "asset/registered/v1",
            "id:bytes32 assetNo holder content:bytes32 fingerprint:bytes32 grade at by",
        ),
        (
            "AssetRegistry.Filed",
            "asset/filed/v1",
            "id:bytes32 kind content:bytes32 fingerprint:bytes32 grade at by",
        ),
        ("AssetRegistry.Advanced", "asset/advanced/v1", "id:bytes32 stage until grounds:bytes32 at by"),
        ("AssetRegistry.Rejected", "asset/application-rejected/v1", "id:bytes32 kind grounds:bytes32 at by"),
        ("AssetRegistry.Confirmed", "asset/confirmed/v1", "id:bytes32 kind validTo at by"),
        ("AssetRegistry.Cleared", "asset/cleared/v1", "id:bytes32 report:bytes32 at by"),
        ("AssetRegistry.Objected", "asset/objected/v1", "id:bytes32 no toApplication grounds:bytes32 at by"),
        ("AssetRegistry.ObjectionDecided", "asset/decided/v1", "id:bytes32 no state grounds:bytes32 at by"),
        ("AssetRegistry.TransferOffered", "asset/offered/v1", "id:bytes32 to deadline at by"),
        ("AssetRegistry.TransferAccepted", "asset/accepted/v1", "id:bytes32 from to at by"),
        ("AssetRegistry.TransferRejected", "asset/rejected/v1", "id:bytes32 to at by"),
        ("AssetRegistry.TransferWithdrawn", "asset/withdrawn/v1", "id:bytes32 to at by"),
        ("AssetRegistry.Reassigned", "asset/reassigned/v1", "id:bytes32 from to grounds:bytes32 at by"),
        ("AssetRegistry.Frozen", "asset/frozen/v1", "id:bytes32 reason at by"),
        ("AssetRegistry.Unfrozen", "asset/unfrozen/v1", "id:bytes32 reason at by"),
        ("AssetRegistry.Annulled", "asset/annulled/v1", "id:bytes32 reason grounds:bytes32 at by"),
        (
            "AssetRegistry.RightGranted",
            "asset/right-granted/v1",
            "id:bytes32 no kind exclusive sublicensable transferable grantee from to parent scope:bytes32 at by",
        ),
        ("AssetRegistry.RightTransferred", "asset/right-transferred/v1", "id:bytes32 no from to at by"),
        ("AssetRegistry.RightEnded", "asset/right-ended/v1", "id:bytes32 no grounds:bytes32 at by"),
        ("AssetRegistry.Pledged", "asset/pledged/v1", "id:bytes32 lien creditor rank sole terms:bytes32 at by"),
        ("AssetRegistry.LienConsented", "asset/consented/v1", "id:bytes32 lien to at by"),
        ("AssetRegistry.LienReleased", "asset/released/v1", "id:bytes32 lien at by"),
        ("AssetRegistry.Linked", "asset/linked/v1", "id:bytes32 relation parent:bytes32 at by"),
        ("AssetRegistry.Replaced", "asset/replaced/v1", "id:bytes32 successor:bytes32 at by"),
        ("AssetRegistry.Assessed", "asset/assessed/v1", "id:bytes32 kind report:bytes32 validTo at by"),
    )
}


def genesis(origin: str, chain_id: int, contract: str, scope: str | None = None) -> bytes:
    """Return the head of a contract before its first event; with ``scope`` (an asset id, hex) the head of that asset.

    ``origin`` is the forwarder's origin, 64 hex digits.
    """
    parts = [tag(_GENESIS_TAG), word("bytes32", origin), word("uint", chain_id), word("address", contract)]
    if scope is not None:
        parts.append(word("bytes32", scope))
    return hashlib.sha256(b"".join(parts)).digest()


def ledger_digest(
    *,
    chain_id: int,
    forwarder: str,
    party_registry: str,
    asset_registry: str,
    certificate_log: str,
    origin: str,
    delay: int,
    threshold: int,
) -> str:
    """Return the ledger digest, 64 hex digits: the member ``ledger`` of every entry (protocol §1).

    ``delay`` is in seconds, addresses are ``0x…``.
    """
    words = [word("bytes32", origin), word("uint", chain_id)]
    words += [word("address", each) for each in (forwarder, party_registry, asset_registry, certificate_log)]
    words += [word("uint", delay), word("uint", threshold)]
    return hashlib.sha256(tag(_LEDGER_TAG) + b"".join(words)).hexdigest()


def act_digest(target: str, call: bytes) -> str:
    """Return the digest of the act in a proposal, 64 hex digits: SHA-256 of ``abi.encode(target, call)`` (protocol §3).

    ``target`` is the address of a contract, ``call`` its call data. Raises ``ValueError`` for an invalid address.
    """
    padded = call + bytes(-len(call) % 32)
    words = word("address", target) + word("uint", 64) + word("uint", len(call))
    return hashlib.sha256(words + padded).hexdigest()


def event_digest(event: str, args: Mapping[str, Any]) -> bytes:
    """Return the digest of an event; ``event`` is its name in the form ``Contract.Event``.

    Raises ``KeyError``, ``ValueError`` or ``TypeError`` for an unknown event, or for arguments that do not fit the
    event.
    """
    name, fields = EVENTS[event]
    words = [word(kind, args[field]) for field, kind in fields]
    return hashlib.sha256(tag(name.encode()) + b"".join(words)).digest()


def fold(head: bytes, digest: bytes) -> bytes:
    """Return the head that follows ``head`` after an event with this digest."""
    return hashlib.sha256(head + digest).digest()


def tag(text: bytes) -> bytes:
    """Return ASCII text left-aligned in a word of 32 bytes."""
    return text.ljust(32, b"\0")


def word(kind: str, value: Any) -> bytes:
    """Return a value as 32 bytes, encoded as ``abi.encode`` does; ``kind`` is a type in ``EVENTS``.

    Raises ``ValueError`` or ``TypeError`` for a value that does not fit the type.
    """
    if kind == "uint":
        number = int(value, 0) if isinstance(value, str) else index(value)
        if not 0 <= number < 1 << 256:
            raise ValueError("an unsigned integer of 256 bits is expected")
        return number.to_bytes(32, "big")
    raw = bytes.fromhex(str(value).removeprefix("0x"))
    if len(raw) != {"bytes32": 32, "bytes8": 8, "address": 20}[kind]:
        raise ValueError(f"{kind} has the wrong length")
    return raw.rjust(32, b"\0") if kind == "address" else raw.ljust(32, b"\0")
