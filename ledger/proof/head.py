"""Digests of contract events and the running heads over them, protocol §3.

``contracts/libraries/EventHead.sol`` is the second implementation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from operator import index
from typing import Any, Final

_GENESIS_TAG: Final = b"pingzheng/head/v1"

# Fields in order. ``uint`` is an unsigned integer or a truth value, ``bytes32`` and ``bytes8`` hex, ``address`` 0x…
EVENTS: Final[Mapping[str, tuple[str, tuple[tuple[str, str], ...]]]] = {
    name: (tag, tuple((field.partition(":")[0], field.partition(":")[2] or "uint") for field in fields.split()))
    for name, tag, fields in (
        ("CertificateLog.Anchored", "log/anchored/v1", "batch firstSeq size root:bytes32 at by"),
        ("CertificateLog.StatusChanged", "log/status/v1", "batch word mask status reason at by"),
        ("CertificateLog.Superseded", "log/superseded/v1", "batch index newBatch newIndex at by"),
        ("CertificateLog.Used", "log/used/v1", "batch index uses at by"),
        ("CertificateLog.Withdrawn", "log/withdrawn/v1", "batch index at by"),
        ("PartyRegistry.PartyRegistered", "party/registered/v1", "no id:bytes32 at by"),
        ("PartyRegistry.AccountBound", "party/bound/v1", "no account:address at by"),
        ("PartyRegistry.AccountRetired", "party/retired/v1", "no account:address compromisedAt at by"),
        ("PartyRegistry.AccountCompromised", "party/compromised/v1", "no account:address compromisedAt at by"),
        ("PartyRegistry.RolesChanged", "party/roles/v1", "no roles at by"),
        ("PartyRegistry.PartyStatusChanged", "party/status/v1", "no status reason at by"),
        ("PartyRegistry.Accredited", "party/accredited/v1", "no scenario:bytes8 from to at by"),
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


def genesis(chain_id: int, contract: str, scope: str | None = None) -> bytes:
    """The head of a contract before its first event; with ``scope`` (an asset id, hex) that of the asset."""
    parts = [_tag(_GENESIS_TAG), _word("uint", chain_id), _word("address", contract)]
    if scope is not None:
        parts.append(_word("bytes32", scope))
    return hashlib.sha256(b"".join(parts)).digest()


def event_digest(event: str, args: Mapping[str, Any]) -> bytes:
    """Digest of an event, named ``Contract.Event``.

    Raises ``KeyError``, ``ValueError`` or ``TypeError`` for what does not fit.
    """
    tag, fields = EVENTS[event]
    words = [_word(kind, args[name]) for name, kind in fields]
    return hashlib.sha256(_tag(tag.encode()) + b"".join(words)).digest()


def fold(head: bytes, digest: bytes) -> bytes:
    """The head after an event with this digest."""
    return hashlib.sha256(head + digest).digest()


def _tag(text: bytes) -> bytes:
    return text.ljust(32, b"\0")


def _word(kind: str, value: Any) -> bytes:
    if kind == "uint":
        number = int(value, 0) if isinstance(value, str) else index(value)
        if not 0 <= number < 1 << 256:
            raise ValueError("an unsigned integer of 256 bits is expected")
        return number.to_bytes(32, "big")
    raw = bytes.fromhex(str(value).removeprefix("0x"))
    if len(raw) != {"bytes32": 32, "bytes8": 8, "address": 20}[kind]:
        raise ValueError(f"{kind} has another length")
    return raw.rjust(32, b"\0") if kind == "address" else raw.ljust(32, b"\0")
