"""§5 and §7: the bundle, and the certificate in it as it travels."""

from __future__ import annotations

from dataclasses import dataclass

from tests.proof.second.entries import require_entry
from tests.proof.second.forms import exactly, items, like, text, whole
from tests.proof.second.notation import HASHES, MAX_INTEGER, Json, canonical, leaf_hash, read_json, require
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
class Certificate:
    """As it travels: each disclosure as sent, with its name; ``bound`` is all up to and with the last ``~``."""

    issued: Signed
    claims: Json
    disclosures: list[tuple[str, str]]
    binding: Signed | None
    binding_claims: Json
    bound: str

    def hashed(self, part: str) -> str:
        """By the algorithm that ``_sd_alg`` names; a certificate that hides nothing names none."""
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
    bound = travelling.removesuffix(binding_jwt)
    disclosures = [(each, disclosed_name(each)) for each in middle]
    return Certificate(issued, claims, disclosures, binding, read_payload(binding) if binding else {}, bound)


def read_payload(signed: Signed) -> Json:
    payload = read_json(signed.payload, size=64 * 1024, depth=32)
    require(isinstance(payload, dict))
    return payload


def disclosed_name(disclosure: str) -> str:
    raw = from_base64url(disclosure)
    value = read_json(raw, size=4 * 1024, depth=4)
    require(isinstance(value, list) and len(value) == 3 and all(isinstance(each, str) for each in value[:2]))
    require(len(value[0]) >= 22, canonical(value) == raw)
    return value[1]


COUNT = whole(0, MAX_INTEGER)
POSITION = exactly({"batch": COUNT, "index": COUNT})
HEX_32 = like(r"[0-9a-f]{64}")
PROOF = items(HEX_32, 0, 32)
CHAIN = dict.fromkeys(("certificate_log", "party_registry", "asset_registry"), like(ACCOUNT)) | {"chain_id": COUNT}
ANCHOR = dict.fromkeys(("batch", "first_seq", "size", "at", "by"), COUNT) | {"root": HEX_32}
BUNDLE = {
    "format": like("pingzheng-bundle/1"),
    "chain": exactly(CHAIN),
    "certificate": text(196_608),
    "position": POSITION,
    "proof": PROOF,
    "evidence": items(exactly({"entry": text(16_384), "position": POSITION, "proof": PROOF}), 0, 18),
    "anchors": items(exactly(ANCHOR), 0, 18),
    "keys": lambda value: isinstance(value, dict) and len(value) <= 19 and all(map(like(ACCOUNT), value)),
    "status": exactly({"block": COUNT, "state": text(32)}),
}


def read_bundle(raw: bytes) -> Json:
    bundle = read_json(raw, size=256 * 1024, depth=16)
    require(exactly(BUNDLE)(bundle))
    for jwk in bundle["keys"].values():
        key_of_jwk(jwk)
    return bundle


def read_evidence(bundle: Json) -> dict[str, tuple[Json, Json]]:
    """Each entry with its place, by the leaf hash that others refer to it by."""
    found = {}
    for item in bundle["evidence"]:
        raw = item["entry"].encode()
        entry = read_json(raw, size=4 * 16_384, depth=32)
        require(canonical(entry) == raw)
        require_entry(entry)
        found[f"sha-256:{leaf_hash(raw).hex()}"] = entry, item["position"]
    require(len(found) == len(bundle["evidence"]))
    return found
