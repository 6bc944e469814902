"""§5 and §7: the bundle, and the certificate in it with disclosures and key binding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.proof.second.entries import instructs, require_entry
from tests.proof.second.forms import exactly, hex_32, items, like, text
from tests.proof.second.notation import CONTRACTS, HASHES, Json, canonical, read_json, reference_to, require
from tests.proof.second.signatures import (
    ACCOUNT,
    DIGEST_OF_SUITE,
    Signed,
    from_base64url,
    key_of_jwk,
    read_jws,
    to_base64url,
)


@dataclass(frozen=True)
class Disclosure:
    sent: str
    name: str
    value: Any


@dataclass(frozen=True)
class Certificate:
    """A certificate with disclosures and key binding. ``bound`` is the part that the key binding signs: the text up to
    and including the last ``~``.
    """

    issued: Signed
    claims: Json
    disclosures: list[Disclosure]
    binding: Signed | None
    binding_claims: Json
    bound: str

    def hashed(self, part: str) -> str:
        """Return the hash of ``part``, computed with the algorithm in ``_sd_alg``. Only a certificate that has hidden
        claims has this member.
        """
        return to_base64url(HASHES[self.claims.get("_sd_alg", "sha-256")](part.encode()))


def read_certificate(travelling: str) -> Certificate:
    require(1 <= travelling.count("~") <= 65)
    issuer_jwt, *middle, binding_jwt = travelling.split("~")
    issued = read_jws(issuer_jwt, "dc+sd-jwt")
    claims = read_payload(issued)
    require(canonical(claims) == issued.payload)
    require_entry(claims)
    require(claims["type"] == "certificate")
    require(claims.get("_sd_alg") in (DIGEST_OF_SUITE[issued.header["alg"]], None))
    binding = read_jws(binding_jwt, "kb+jwt") if binding_jwt else None
    binding_claims = read_payload(binding) if binding else {}
    disclosures = list(map(read_disclosure, middle))
    return Certificate(issued, claims, disclosures, binding, binding_claims, travelling.removesuffix(binding_jwt))


def read_payload(signed: Signed) -> Json:
    payload = read_json(signed.payload, depth=32)
    require(isinstance(payload, dict))
    return payload


def read_disclosure(sent: str) -> Disclosure:
    raw = from_base64url(sent)
    parts = read_json(raw, size=4 * 1024, depth=4)
    require(isinstance(parts, list) and len(parts) == 3 and isinstance(parts[1], str), canonical(parts) == raw)
    salt, name, value = parts
    require(len(from_base64url(salt)) == 16, not instructs(value))
    return Disclosure(sent, name, value)


def natural(value: Any) -> bool:
    """Return whether the value is an integer of 0 or more; ``read_json`` has checked the upper limit, 2^53−1."""
    return type(value) is int and value >= 0


POSITION = exactly(dict.fromkeys(("issuer", "batch", "index"), natural))
PROOF = items(hex_32, 0, 32)
ADDRESSES = dict.fromkeys(CONTRACTS, like(ACCOUNT))
CHAIN = ADDRESSES | dict.fromkeys(("chain_id", "delay", "threshold"), natural) | {"origin": hex_32}
ANCHOR = dict.fromkeys(("issuer", "batch", "first_seq", "size", "at"), natural) | {"root": hex_32}
BUNDLE = {
    "format": like("pingzheng-bundle/2"),
    "chain": exactly(CHAIN),
    "certificate": text(196_608),
    "position": POSITION,
    "proof": PROOF,
    "evidence": items(exactly({"entry": text(16_384), "position": POSITION, "proof": PROOF}), 0, 34),
    "anchors": items(exactly(ANCHOR), 0, 34),
    "keys": lambda value: isinstance(value, dict) and len(value) <= 35 and all(map(like(ACCOUNT), value)),
    "status": exactly({"block": natural, "state": text(32)}),
}


def read_bundle(raw: bytes) -> Json:
    bundle = read_json(raw)
    require(exactly(BUNDLE)(bundle))
    for jwk in bundle["keys"].values():
        key_of_jwk(jwk)
    return bundle


def read_evidence(bundle: Json) -> dict[str, tuple[Json, Json]]:
    """Return a map from each entry's statement digest to the entry and its position."""
    found = {}
    for item in bundle["evidence"]:
        raw = item["entry"].encode()
        entry = read_json(raw, depth=32)
        require(canonical(entry) == raw)
        require_entry(entry)
        found[reference_to(entry)] = entry, item["position"]
    require(len(found) == len(bundle["evidence"]))
    return found
