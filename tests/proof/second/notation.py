"""§1 to §3: notation, hashes, trees and digests; and the limits for all JSON (§7)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

Json = dict[str, Any]


class Refused(Exception):
    """The input does not follow docs/protocol.md."""


class NotInstalled(Refused):
    """The library of a suite is not installed, so the signature cannot be judged (§4)."""


def require(*conditions: object) -> None:
    """Raise ``Refused`` unless all conditions are true."""
    if not all(conditions):
        raise Refused


def sha_256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest, computed by OpenSSL, or by gmalg if OpenSSL has no SM3.

    gmalg is installed here: otherwise an earlier check of the SM2 suite has already refused the bundle.
    """
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError:
        import gmalg  # an optional package

    hashing = gmalg.SM3()
    hashing.update(data)
    return bytes(hashing.value())


HASHES = {"sha-256": sha_256, "sm3": sm3}


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def canonical(value: Any) -> bytes:
    """Return canonical JSON (RFC 8785): members sorted by the UTF-16 of their names, and only necessary escapes."""
    return json.dumps(in_order(value), ensure_ascii=False, separators=(",", ":")).encode()


def in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value, key=lambda name: name.encode("utf-16-be"))}
    return [in_order(item) for item in value] if isinstance(value, list) else value


MAX_INTEGER = 2**53 - 1


def read_json(raw: bytes, *, size: int = 256 * 1024, depth: int = 16) -> Any:
    """Return the JSON value if it has at most ``size`` bytes and ``depth`` nested brackets."""
    require(len(raw) <= size)
    try:
        text = raw.decode()
        require(depth_of(text) <= depth)
        # ``int`` raises ``ValueError`` for a number with a fraction or an exponent, and for NaN.
        value = json.loads(
            text, object_pairs_hook=no_member_twice, parse_int=whole_number, parse_float=int, parse_constant=int
        )
        json.dumps(value, ensure_ascii=False).encode()  # ``encode`` fails if the text has an unpaired surrogate.
    except (ValueError, RecursionError) as error:
        raise Refused from error
    return value


def depth_of(text: str) -> int:
    deepest = now = 0
    for bracket in re.findall(r"[][{}]", re.sub(r'"(?:[^"\\]+|\\.)*"?', "", text, flags=re.DOTALL)):
        now += 1 if bracket in "[{" else -1
        deepest = max(deepest, now)
    return deepest


def no_member_twice(pairs: list[tuple[str, Any]]) -> Json:
    require(len(dict(pairs)) == len(pairs))
    return dict(pairs)


def whole_number(digits: str) -> int:
    require(abs(int(digits)) <= MAX_INTEGER)
    return int(digits)


def leaf_hash(entry: bytes) -> bytes:
    return sha_256(b"\x00" + entry)


def included(root: str, entry: bytes, index: int, size: int, proof: list[str]) -> bool:
    """Return whether an entry is in a tree. This is the algorithm of RFC 9162 §2.1.3.2, with the variable names used
    there.
    """
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf_hash(entry)
    for p in map(bytes.fromhex, proof):
        if sn == 0:
            return False
        if fn % 2 or fn == sn:
            r = sha_256(b"\x01" + p + r)
            # The loop ends because ``fn`` is not 0 here: ``fn`` is odd or equals ``sn``, and ``sn`` is not 0.
            while not fn % 2:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha_256(b"\x01" + r + p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r.hex() == root


def tag(text: str) -> bytes:
    return text.encode().ljust(32, b"\x00")


def anchor_commitment(anchor: Json) -> str:
    """Return the digest ``d`` of the batch's ``Anchored`` event."""
    numbers = b"".join(word(anchor[name]) for name in ("issuer", "batch", "first_seq", "size"))
    return sha_256(tag("log/anchored/v2") + numbers + bytes.fromhex(anchor["root"]) + word(anchor["at"])).hex()


def word_of_account(account: str) -> bytes:
    return word(int(account, 16))


CONTRACTS = ("forwarder", "party_registry", "asset_registry", "certificate_log")


def ledger_digest(chain: Json) -> str:
    """Return the digest of the ledger; every entry has it in its member ``ledger``."""
    contracts = b"".join(word_of_account(chain[contract]) for contract in CONTRACTS)
    rule = word(chain["delay"]) + word(chain["threshold"])
    origin = bytes.fromhex(chain["origin"])
    return sha_256(tag("pingzheng/ledger/v2") + origin + word(chain["chain_id"]) + contracts + rule).hex()


def unsigned(entry: Json) -> bytes:
    """Return the bytes that are signed, and from which the statement digest is computed."""
    return canonical({name: value for name, value in entry.items() if name != "signature"})


def reference_to(entry: Json) -> str:
    """Return the statement digest, by which entries refer to each other."""
    return f"sha-256:{sha_256(unsigned(entry)).hex()}"
