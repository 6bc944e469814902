"""Attacks on signatures, proofs and evidence; each is refused by the expected check."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from ledger.domain.canonical import canonical
from ledger.domain.codes import certificate_no
from ledger.proof.jws import encode_base64url, public_jwk, sign_compact
from ledger.proof.merkle import Tree, leaf_hash, verify_inclusion
from ledger.proof.report import Report
from ledger.proof.sdjwt import KEY_BINDING_TYP, Disclosed
from tests.proof.attacks.tampering import (
    DOCUMENT,
    HEADER,
    PAYLOAD,
    REAL_HEADER,
    SHOWN,
    SIGNATURE,
    Attack,
    decoded,
    require_refused,
    signed,
    with_claims,
    with_evidence,
    with_header,
    with_member,
    with_parts,
    with_payload,
    with_token,
)
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    AUTHORIZATION,
    BANK,
    DEVICE,
    GRID,
    HIDDEN,
    ISSUER,
    NONCE,
    OTHER_BANK,
    OTHER_ISSUER,
    SCENARIO,
    SUBJECT,
    TAX,
    salted,
)
from tests.support.bundles.genuine import GENUINE

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PROOF = DOCUMENT["proof"]
FORGED = Disclosed(GENUINE.hidden[0].salt, "tax_band", "A")
CLAIMS = json.loads(decoded(PAYLOAD))
LARGER = canonical(CLAIMS | {"max_uses": 9})
SD_HASH = json.loads(decoded(SHOWN[-1].split(".")[1]))["sd_hash"]


def hs256_with_the_public_key(data: bytes) -> bytes:
    return hmac.new(bytes.fromhex(ISSUER.signer.public_key), data, hashlib.sha256).digest()


def high_s(part: str) -> str:
    raw = decoded(part)
    return encode_base64url(raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big"))


def disclosure_under_sha512() -> Report:
    """Put the SHA-512 of a claim into ``_sd``, shortened to the length of SHA-256."""
    forged = salted({"tax_band": "A"})
    cut = encode_base64url(hashlib.sha512(forged[0].encoded.encode()).digest()[:32])
    return replace(usage(claims={"_sd": [cut]}), hidden=forged).presenting("tax_band").verify()


def own_key_in_the_bundle() -> Report:
    """Sign the certificate with the attacker's own key, and list this key in the bundle as the issuer's key."""
    token = signed(HEADER, PAYLOAD, OTHER_BANK.signer.sign)
    certificate = GENUINE.presenting("tax_band", token=token).bundle.certificate
    jwk = public_jwk(OTHER_BANK.signer.public_key).to_dict()
    return GENUINE.verify_changed(("certificate", certificate), (f"keys.{ISSUER.account}", jwk))


def backdated_anchor() -> Report:
    """Claim that a certificate signed with a stolen key was anchored before the theft."""
    return GENUINE.account(ISSUER, compromised_at=ANCHORED).verify_changed(("anchors.1.at", ANCHORED - 1))


def shown_with(*parts: str, dropped: bool = False) -> Report:
    """Replace the disclosures in a presentation to the bank. The holder signed a presentation that
    discloses one claim.
    """
    token, disclosure, binding = GENUINE.presenting("tax_band").bundle.certificate.split("~")
    return with_parts(token, *([] if dropped else [disclosure]), *parts, binding)()


def binding_of_another_certificate() -> Report:
    binding = usage(claims={"certificate_no": certificate_no("440802", 2026, SCENARIO, 124)}).bundle.certificate.split(
        "~"
    )[-1]
    return with_parts(*SHOWN[:-1], binding)()


def binding_with(**changes: object) -> Report:
    shown = "~".join([*SHOWN[:-1], ""])
    claims = {"aud": BANK.id, "iat": AT, "nonce": NONCE, "sd_hash": SD_HASH} | changes
    return with_member("certificate", shown + sign_compact(canonical(claims), DEVICE.signer, KEY_BINDING_TYP))()


def exchanged_authorization() -> Report:
    """Replace the authorization by another authorization of the same subject, which is also anchored."""
    other = usage(consent={"id": "01K5M00000000000000000000B", "max_uses": 9})
    batch = AUTHORIZATION.log_batch
    made = GENUINE.knowing(anchors={**GENUINE.facts.anchors, batch: other.facts.anchors[batch]})
    document = other.document()
    return made.verify_changed(("evidence", document["evidence"]), ("anchors.0", document["anchors"][0]))


def consent_with_a_high_s(text: str) -> str:
    """Replace ``s`` in the subject's signature by the high ``s``. A verifier that does not check ``s`` would accept
    this signature.
    """
    entry = json.loads(text)
    header, _, signature = entry["signature"].split(".")
    return canonical(entry | {"signature": f"{header}..{high_s(signature)}"}).decode()


def signature_under(header: dict[str, str]) -> Attack:
    """Sign the authorization with the header ``header``."""

    def change(text: str) -> str:
        entry = json.loads(text)
        return canonical(entry | {"signature": f"{encode_base64url(canonical(header))}..{SIGNATURE}"}).decode()

    return with_evidence(change)


def grown_after_signing(text: str) -> str:
    return canonical(json.loads(text) | {"max_uses": 99}).decode()


ENTRY_HEADER = {"alg": "ES256K", "kid": SUBJECT.account, "typ": "pingzheng-entry+jws"}


def as_authorization() -> Report:
    return usage(claims={"authorizations": CLAIMS["provisions"][:1]}).verify()


def retired_before() -> Report:
    return GENUINE.account(ISSUER, valid_to=ANCHORED - 1).verify()


TREE: dict[str, tuple[int, str, Attack]] = {
    "truncated proof": (5, "NOT_INCLUDED", with_member("proof", PROOF[:-1])),
    "extended proof": (5, "NOT_INCLUDED", with_member("proof", [*PROOF, "00" * 32])),
    "swapped sibling": (5, "NOT_INCLUDED", with_member("proof", [PROOF[1], PROOF[0], *PROOF[2:]])),
    "place of a neighbour": (5, "NOT_INCLUDED", with_member("position.index", 4)),
    "leaf promoted to node": (
        5,
        "NOT_INCLUDED",
        lambda: GENUINE.verify_changed(("position.index", 2), ("proof", PROOF[1:])),
    ),
    "leaf promoted to node of a smaller tree": (
        5,
        "NOT_INCLUDED",
        lambda: GENUINE.verify_changed(("position.index", 2), ("proof", PROOF[1:]), ("anchors.1.size", 4)),
    ),
    "evidence at the certificate's place": (
        5,
        "NOT_INCLUDED",
        with_member("evidence.0.position", DOCUMENT["position"]),
    ),
    "anchor of another root": (5, "NOT_INCLUDED", with_member("anchors.1.root", "00" * 32)),
    "anchor of another issuer's log": (2, "ANCHOR_MISSING", with_member("anchors.1.issuer", 1)),
    "certificate and anchor in another issuer's log": (
        6,
        "NOT_ANCHORED",
        lambda: GENUINE.verify_changed(("anchors.1.issuer", 1), ("position.issuer", 1)),
    ),
    "an anchor more, on no chain": (
        6,
        "NOT_ANCHORED",
        with_member("anchors", [*DOCUMENT["anchors"], DOCUMENT["anchors"][0] | {"batch": 9}]),
    ),
    "first entry moved with the index": (
        5,
        "NOT_INCLUDED",
        lambda: GENUINE.verify_changed(("anchors.1.first_seq", 49), ("position.index", 4)),
    ),
    "first entry moved": (5, "NOT_AT_ITS_SEQ", with_member("anchors.1.first_seq", 49)),
    "tree made much larger": (5, "NOT_INCLUDED", with_member("anchors.1.size", 70)),
    "tree made larger where the path is the same": (6, "ANCHOR_DIFFERS", with_member("anchors.1.size", 8)),
    "foreign chain id": (1, "FOREIGN_CHAIN", with_member("chain.chain_id", 1)),
    "foreign origin": (1, "FOREIGN_CHAIN", with_member("chain.origin", "0b" * 32)),
    "foreign contract": (1, "FOREIGN_CHAIN", with_member("chain.party_registry", "0x" + "00" * 20)),
}

DISCLOSURES: dict[str, tuple[int, str, Attack]] = {
    "duplicated disclosure": (4, "DISCLOSURE_REPEATED", with_parts(SHOWN[0], SHOWN[1], *SHOWN[1:])),
    "forged disclosure": (4, "DISCLOSURE_FOREIGN", with_parts(SHOWN[0], FORGED.encoded, SHOWN[-1])),
    "disclosure of a foreign claim": (
        4,
        "DISCLOSURE_FOREIGN",
        with_parts(SHOWN[0], salted({"debts": 0})[0].encoded, ""),
    ),
    "digest of another algorithm": (4, "DISCLOSURE_FOREIGN", disclosure_under_sha512),
    "digest algorithm said to be sha-512": (1, "ENTRY_SHAPE", with_claims(_sd_alg="sha-512")),
    "statement digest of another algorithm": (1, "ENTRY_SHAPE", with_claims(provisions=["sha-512:" + "00" * 64])),
    "digest in two spellings": (1, "ENTRY_SHAPE", with_claims(_sd=["A" * 42 + "B"])),
    "digest twice": (1, "ENTRY_SHAPE", lambda: usage(claims={"_sd": GENUINE.claims["_sd"] * 2}).verify()),
    "replayed key binding": (10, "KEY_BINDING_DIFFERS", lambda: GENUINE.presenting(nonce="yesterday's").verify()),
    "key binding for another bank": (10, "KEY_BINDING_DIFFERS", lambda: binding_with(aud=OTHER_BANK.id)),
    "key binding for many banks": (10, "KEY_BINDING_DIFFERS", lambda: binding_with(aud=[BANK.id, OTHER_BANK.id])),
    "key binding with a member more": (10, "KEY_BINDING_DIFFERS", lambda: binding_with(exp=2**40)),
    "key binding without a time": (10, "KEY_BINDING_TIME", lambda: binding_with(iat="now")),
    "key binding over fewer disclosures": (10, "KEY_BINDING_DIFFERS", lambda: shown_with(GENUINE.hidden[1].encoded)),
    "key binding over more disclosures": (10, "KEY_BINDING_DIFFERS", lambda: shown_with(dropped=True)),
    "key binding of another certificate": (10, "KEY_BINDING_DIFFERS", binding_of_another_certificate),
    "key binding by the issuer": (10, "KEY_BINDING_INVALID", lambda: GENUINE.presenting(holder=ISSUER).verify()),
    "issuer JWT as key binding": (1, "JWS_TYPE", with_parts(*SHOWN[:-1], GENUINE.token)),
    "key binding as issuer JWT": (1, "JWS_TYPE", with_parts(SHOWN[-1], *SHOWN[1:])),
}

SIGNATURES: dict[str, tuple[int, str, Attack]] = {
    "alg none": (1, "JWS_ALGORITHM", with_header(REAL_HEADER | {"alg": "none"}, lambda _: bytes(64))),
    "no signature": (1, "JWS_BASE64URL", with_token(f"{HEADER}.{PAYLOAD}.")),
    "alg HS256": (1, "JWS_ALGORITHM", with_header(REAL_HEADER | {"alg": "HS256"}, hs256_with_the_public_key)),
    "alg ES256": (2, "SIGNATURE_INVALID", with_header(REAL_HEADER | {"alg": "ES256"})),
    "alg RS256": (1, "JWS_ALGORITHM", with_header(REAL_HEADER | {"alg": "RS256"})),
    "alg in other case": (1, "JWS_ALGORITHM", with_header(REAL_HEADER | {"alg": "es256k"})),
    "unknown header member crit": (1, "JWS_HEADER", with_header(REAL_HEADER | {"crit": ["b64"]})),
    "header with its own key": (1, "JWS_HEADER", with_header(REAL_HEADER | {"jwk": {}})),
    "header without kid": (1, "JWS_HEADER", with_header({"alg": "ES256K", "typ": "dc+sd-jwt"})),
    "header that is a list": (1, "JWS_HEADER", with_header(["alg", "kid", "typ"])),
    "header with alg twice": (1, "JWS_HEADER", with_header(b'{"alg":"none",' + json.dumps(REAL_HEADER).encode()[1:])),
    "other type": (1, "JWS_TYPE", with_header(REAL_HEADER | {"typ": "JWT"})),
    "kid that is a path": (1, "JWS_KID", with_header(REAL_HEADER | {"kid": "../../dev/null"})),
    "kid in capitals": (1, "JWS_KID", with_header(REAL_HEADER | {"kid": "0x" + ISSUER.account[2:].upper()})),
    "kid that is no text": (1, "JWS_KID", with_header(REAL_HEADER | {"kid": 7})),
    "high-s signature": (2, "SIGNATURE_INVALID", with_token(f"{HEADER}.{PAYLOAD}.{high_s(SIGNATURE)}")),
    "zero signature": (2, "SIGNATURE_INVALID", with_token(f"{HEADER}.{PAYLOAD}.{'A' * 86}")),
    "signature with only r": (1, "JWS_BASE64URL", with_token(f"{HEADER}.{PAYLOAD}.{SIGNATURE[:43]}")),
    "r beyond the order": (
        2,
        "SIGNATURE_INVALID",
        with_token(f"{HEADER}.{PAYLOAD}.{encode_base64url(ORDER.to_bytes(32, 'big') + decoded(SIGNATURE)[32:])}"),
    ),
    "wrong key": (2, "SIGNATURE_INVALID", with_header(REAL_HEADER, OTHER_ISSUER.signer.sign)),
    "wrong key, given as the right one": (2, "SIGNATURE_INVALID", own_key_in_the_bundle),
    "payload changed": (
        2,
        "SIGNATURE_INVALID",
        with_token(f"{HEADER}.{encode_base64url(LARGER)}.{SIGNATURE}"),
    ),
    "payload changed and signed again": (5, "NOT_INCLUDED", with_payload(LARGER)),
    "account of another issuer": (3, "ISSUER_DIFFERS", lambda: usage(issuer=OTHER_ISSUER).verify()),
    "key retired before the anchor": (
        2,
        "KEY_NOT_IN_FORCE",
        retired_before,
    ),
    "compromised key": (2, "KEY_COMPROMISED", lambda: GENUINE.account(ISSUER, compromised_at=ANCHORED - 1).verify()),
    "compromised key, anchor backdated": (6, "ANCHOR_DIFFERS", backdated_anchor),
}

EVIDENCE: dict[str, tuple[int, str, Attack]] = {
    "evidence missing": (11, "EVIDENCE_MISSING", lambda: GENUINE.verify_changed(drop="evidence.1")),
    "all evidence missing": (4, "EVIDENCE_MISSING", with_member("evidence", [])),
    "foreign authorization": (11, "EVIDENCE_MISSING", exchanged_authorization),
    "authorization changed after signing": (11, "AUTHORIZATION_NOT_BY_SUBJECT", with_evidence(grown_after_signing)),
    "authorization with a high s": (11, "AUTHORIZATION_NOT_BY_SUBJECT", with_evidence(consent_with_a_high_s)),
    "authorization signed by the provider": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda: usage(subject_key=TAX).verify(),
    ),
    "authorization under the certificate's signature": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        signature_under(ENTRY_HEADER),
    ),
    "authorization under a key binding's header": (11, "JWS_TYPE", signature_under(ENTRY_HEADER | {"typ": "kb+jwt"})),
    "authorization with alg none": (11, "JWS_ALGORITHM", signature_under(ENTRY_HEADER | {"alg": "none"})),
    "authorization by an unknown key": (11, "KEY_UNKNOWN", signature_under(ENTRY_HEADER | {"kid": DEVICE.account})),
    "provision by other provider": (11, "PROVISION_NOT_BY_PROVIDER", lambda: usage(tax_key=GRID).verify()),
    "provision by a provider that nobody named": (
        11,
        "PROVISION_DIFFERS",
        lambda: usage(supply={"provider": OTHER_BANK.id}, tax_key=OTHER_BANK).verify(),
    ),
    "provision as authorization": (11, "EVIDENCE_MISSING", as_authorization),
    "extra field": (11, "FIELD_OUTSIDE_TEMPLATE", lambda: usage(hidden=HIDDEN | {"debts": 0}).verify()),
    "field that the template allows and nobody requested": (
        11,
        "FIELD_OUTSIDE_REQUEST",
        lambda: usage(hidden=HIDDEN | {"tax_arrears": 0}).verify(),
    ),
    "requested field that nobody authorised": (
        11,
        "FIELD_OUTSIDE_AUTHORIZATION",
        lambda: usage(request={"fields": [*HIDDEN, "tax_arrears"]}, hidden=HIDDEN | {"tax_arrears": 0}).verify(),
    ),
    "extra field, signed but not named": (
        4,
        "DISCLOSURE_NOT_NAMED",
        lambda: usage(spare={"debts": 0}, disclosed=["debts"]).verify(),
    ),
}


ATTACKS = TREE | DISCLOSURES | SIGNATURES | EVIDENCE


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_by_the_expected_check(name: str) -> None:
    number, code, attack = ATTACKS[name]
    require_refused(attack(), number, code)


def test_entry_cannot_have_the_hash_of_an_inner_node_of_the_tree() -> None:
    """If an entry could have the hash of an inner node, a proof that is one level too short would pass, and would
    present the inner node as an entry.
    """
    leaves = [leaf_hash(bytes([number])) for number in range(4)]
    tree, proof = Tree(leaves), Tree(leaves).inclusion_proof(0)
    for entry in (leaves[0] + leaves[1], b"\x01" + leaves[0] + leaves[1], b"\x00" + leaves[0] + leaves[1]):
        assert not verify_inclusion(tree.root, leaf_hash(entry), 0, 2, proof[1:])


def test_key_binding_may_have_a_signature_with_a_high_s() -> None:
    """Wallets do not make ``s`` low. A high ``s`` does no harm here, because no entry names a key binding by its
    digest.
    """
    *signed, signature = SHOWN[-1].split(".")
    assert with_parts(*SHOWN[:-1], ".".join([*signed, high_s(signature)]))().valid
