"""Certificates signed with SM2 and SM3: the same verifier accepts them, and refuses the counterpart of every attack on
ES256K.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from ledger.chain.accounts import new_sm2_key
from ledger.domain.canonical import canonical
from ledger.errors import InvalidInput
from ledger.proof.jws import (
    LocalSigner,
    Signer,
    Sm2Signer,
    encode_base64url,
    entry_signed_by,
    sign_compact,
    sign_entry,
)
from ledger.proof.report import Report
from ledger.proof.sdjwt import CERTIFICATE_TYP, KEY_BINDING_TYP, Disclosed, disclose, parse_certificate
from ledger.proof.suites import sm2
from ledger.proof.suites.suite import SM2SM3
from tests.proof.attacks.tampering import Attack, decoded, require_refused
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    DEVICE,
    GRID,
    HIDDEN,
    ISSUER,
    NONCE,
    Actor,
    Changes,
    as_text,
    salted,
)
from tests.support.bundles.made import Made
from tests.support.bundles.sm_cast import (
    SM_DEVICE,
    SM_GRID,
    SM_HOLDER,
    SM_ISSUER,
    SM_OTHER_ISSUER,
    SM_SUBJECT,
    SM_TAX,
    sm_usage,
)

GENUINE = sm_usage()
HEADER, PAYLOAD, SIGNATURE = GENUINE.token.split(".")
REAL_HEADER = {"alg": "SM2SM3", "kid": SM_ISSUER.account, "sm2_id": sm2.DEFAULT_ID, "typ": CERTIFICATE_TYP}
SHOWN = GENUINE.bundle.certificate.split("~")
RECORD = registration(issuer=SM_ISSUER)
RAW = decoded(SIGNATURE)
R, S = int.from_bytes(RAW[:32], "big"), int.from_bytes(RAW[32:], "big")
LARGER = encode_base64url(canonical(json.loads(decoded(PAYLOAD)) | {"max_uses": 9}))


def require_valid(made: Made) -> None:
    report = made.verify()
    assert report.valid, report.first_failure


def test_certificate_signed_with_sm2_is_valid() -> None:
    report = GENUINE.verify()
    assert report.valid, report.first_failure
    assert report.checks[1].message == "Signed with SM2SM3 by an account of the chain."
    assert report.disclosed == {name: HIDDEN[name] for name in ("tax_band", "power_trend")}
    assert json.loads(decoded(HEADER)) == REAL_HEADER
    assert json.loads(decoded(PAYLOAD))["_sd_alg"] == "sm3"


def test_registration_certificate_signed_with_sm2_is_valid() -> None:
    require_valid(RECORD)
    assert parse_certificate(RECORD.bundle.certificate).issued.suite is SM2SM3


def test_bundle_may_have_signatures_of_both_suites() -> None:
    """Only the certificate's signature and its disclosures must be of the same suite."""
    require_valid(usage(subject_key=SM_SUBJECT, tax_key=SM_TAX))
    require_valid(usage(**TO_SM_HOLDER).presenting("tax_band", holder=SM_DEVICE))
    require_valid(usage(issuer=SM_ISSUER, algorithm="sm3"))
    require_valid(sm_usage(grid_key=GRID))


@pytest.mark.parametrize("identity", ["", "1", "ALICE123@YAHOO.COM", "~ \"'\\", "x" * 64])
def test_signature_with_any_valid_identity_verifies(identity: str) -> None:
    signer = Sm2Signer(new_sm2_key(), identity)
    entry = sign_entry({"type": "withdrawal", "v": 2}, signer)
    assert entry_signed_by(entry, signer.kid, signer.public_key)


@pytest.mark.parametrize("identity", ["x" * 65, "é", "湛江", "\n", "\x7f", "\x00"])
def test_invalid_identity_is_refused(identity: str) -> None:
    with pytest.raises(InvalidInput, match="SM2_ID_INVALID"):
        Sm2Signer(new_sm2_key(), identity)


# --- attacks ----------------------------------------------------------------------------------------------------------


def with_token(token: str) -> Attack:
    """Put ``token`` in the place of the JWT that the issuer signed. The holder's presentation of this token is correct,
    so only the token is attacked.
    """
    return lambda: GENUINE.presenting("tax_band", token=token, holder=SM_DEVICE).verify()


def with_header(signer: Signer | None = None, drop: str = "", **changes: Any) -> Attack:
    """Change the header of the certificate's JWT. If ``signer`` is given, it signs the changed JWT; otherwise the old
    signature stays.
    """
    members = {name: value for name, value in (REAL_HEADER | changes).items() if name != drop}
    signing_input = f"{encode_base64url(json.dumps(members).encode())}.{PAYLOAD}"
    signature = SIGNATURE if signer is None else encode_base64url(signer.sign(signing_input.encode()))
    return with_token(f"{signing_input}.{signature}")


def with_numbers(r: int, s: int) -> Attack:
    signature = encode_base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return with_token(f"{HEADER}.{PAYLOAD}.{signature}")


def record_with(header: dict[str, Any], signature: str | None = None) -> Attack:
    """Put another header into a registration certificate. This certificate has no disclosures and therefore no
    ``_sd_alg``. So it cannot be refused merely because the header and ``_sd_alg`` do not fit together.
    """
    _, payload, kept = RECORD.token.split(".")
    token = f"{encode_base64url(canonical(header))}.{payload}.{signature or kept}"
    return lambda: RECORD.verify_changed(("certificate", f"{token}~"))


def same_secret_as_es256k() -> Report:
    """Sign with an ES256K key that has the same secret number as the issuer's SM2 key. The signature names the account
    of the SM2 key.
    """
    secret = hashlib.sha256(f"key of {ISSUER.name}".encode()).digest()
    _, payload, _ = RECORD.token.split(".")
    token = sign_compact(decoded(payload), LocalSigner(secret, SM_ISSUER.account), CERTIFICATE_TYP)
    return RECORD.verify_changed(("certificate", f"{token}~"))


def key_read_as_of_the_other_curve(made: Made, actor: Actor) -> Report:
    """In the facts, change the prefix of the account's key to that of the other curve, and keep the key's digits."""
    key = actor.signer.public_key
    return made.account(actor, key=key.removeprefix("sm2:") if key.startswith("sm2:") else f"sm2:{key}").verify()


def bound_with(holder: Actor = SM_DEVICE, **changes: Any) -> Attack:
    shown = "~".join([*SHOWN[:-1], ""])
    claims = {"aud": BANK.id, "iat": AT, "nonce": NONCE, "sd_hash": parse_certificate(shown).sd_hash} | changes
    token = sign_compact(canonical(claims), holder.signer, KEY_BINDING_TYP)
    return lambda: GENUINE.verify_changed(("certificate", shown + token))


def sha256_of(text: str) -> str:
    return encode_base64url(hashlib.sha256(text.encode()).digest())


def digests_by(algorithm: str) -> dict[str, Any]:
    return {"_sd": disclose({}, salted(HIDDEN), algorithm)["_sd"]}


def with_evidence(change: Any) -> Attack:
    def write(entry: Changes) -> str:
        return as_text(change(dict(entry)) if "notice_digest" in entry else entry)

    return lambda: sm_usage(write=write).verify()


def under_header(**changes: Any) -> Attack:
    """Change the header of the consent and keep its signature."""

    def change(entry: dict[str, Any]) -> dict[str, Any]:
        header, _, signature = entry["signature"].split(".")
        members = {name: value for name, value in (json.loads(decoded(header)) | changes).items() if value is not None}
        return entry | {"signature": f"{encode_base64url(canonical(members))}..{signature}"}

    return with_evidence(change)


TO_SM_HOLDER: dict[str, Any] = {"claims": SM_HOLDER, "consent": {"holder_key": SM_HOLDER["cnf"]["jwk"]}}
WANTING = {
    "certificate": (2, lambda: GENUINE),
    "registration certificate": (2, lambda: RECORD),
    "key binding": (10, lambda: usage(**TO_SM_HOLDER).presenting("tax_band", holder=SM_DEVICE)),
    "authorization": (11, lambda: usage(subject_key=SM_SUBJECT)),
    "provision": (11, lambda: usage(grid_key=SM_GRID)),
}
TWISTED_HOLDER = {"cnf": {"jwk": SM_HOLDER["cnf"]["jwk"] | {"crv": "secp256k1"}}}
NAMED_BY_SM3 = {"provisions": ["sm3:" + "00" * 32]}
FORGED = Disclosed(GENUINE.hidden[0].salt, "tax_band", "A")

ATTACKS: dict[str, tuple[int, str, Attack]] = {
    "another identity": (2, "SIGNATURE_INVALID", with_header(sm2_id="1234567812345679")),
    "an empty identity": (2, "SIGNATURE_INVALID", with_header(sm2_id="")),
    "another identity, signed by another key": (
        2,
        "SIGNATURE_INVALID",
        with_header(SM_OTHER_ISSUER.signer, sm2_id="another"),
    ),
    "no identity": (1, "JWS_HEADER", with_header(drop="sm2_id")),
    "an identity of 65 characters": (1, "JWS_SM2_ID", with_header(sm2_id="1" * 65)),
    "an identity beyond ASCII": (1, "JWS_SM2_ID", with_header(sm2_id="签发方")),
    "an identity with a line's end": (1, "JWS_SM2_ID", with_header(sm2_id="1234567812345678\n")),
    "an identity that is a number": (1, "JWS_SM2_ID", with_header(sm2_id=1234567812345678)),
    "a member more": (1, "JWS_HEADER", with_header(crit=["sm2_id"])),
    "alg none": (1, "JWS_ALGORITHM", with_header(alg="none", drop="sm2_id")),
    "alg in other case": (1, "JWS_ALGORITHM", with_header(alg="sm2sm3", drop="sm2_id")),
    "alg that is a list": (1, "JWS_ALGORITHM", with_header(alg=["SM2SM3"], drop="sm2_id")),
    "alg said to be ES256K": (1, "SUITE_MIXED", with_header(alg="ES256K", drop="sm2_id")),
    "alg said to be ES256K, with an identity": (1, "JWS_HEADER", with_header(alg="ES256K")),
    "alg said to be ES256K, without disclosures": (
        2,
        "SIGNATURE_INVALID",
        record_with({"alg": "ES256K", "kid": SM_ISSUER.account, "typ": CERTIFICATE_TYP}),
    ),
    "alg of an ES256K signature said to be SM2SM3": (
        2,
        "SIGNATURE_INVALID",
        lambda: record_with(REAL_HEADER | {"kid": ISSUER.account}, registration().token.split(".")[2])(),
    ),
    "SM2 key with alg ES256K": (2, "SIGNATURE_INVALID", same_secret_as_es256k),
    "SM2 key read as a secp256k1 key": (
        2,
        "SIGNATURE_INVALID",
        lambda: key_read_as_of_the_other_curve(RECORD, SM_ISSUER),
    ),
    "secp256k1 key read as an SM2 key": (
        2,
        "SIGNATURE_INVALID",
        lambda: key_read_as_of_the_other_curve(registration(), ISSUER),
    ),
    "kid of the issuer's secp256k1 key": (2, "SIGNATURE_INVALID", with_header(SM_ISSUER.signer, kid=ISSUER.account)),
    "kid that nobody bound": (2, "KEY_UNKNOWN", with_header(SM_DEVICE.signer, kid=SM_DEVICE.account)),
    "wrong key": (2, "SIGNATURE_INVALID", with_header(SM_OTHER_ISSUER.signer)),
    "account of another issuer": (3, "ISSUER_DIFFERS", lambda: sm_usage(issuer=SM_OTHER_ISSUER).verify()),
    "payload changed": (2, "SIGNATURE_INVALID", with_token(f"{HEADER}.{LARGER}.{SIGNATURE}")),
    "payload changed and signed again": (
        5,
        "NOT_INCLUDED",
        with_token(sign_compact(decoded(LARGER), SM_ISSUER.signer, CERTIFICATE_TYP)),
    ),
    "r of zero": (2, "SIGNATURE_INVALID", with_numbers(0, S)),
    "s of zero": (2, "SIGNATURE_INVALID", with_numbers(R, 0)),
    "r beyond the order": (2, "SIGNATURE_INVALID", with_numbers(sm2.ORDER, S)),
    "s beyond the order": (2, "SIGNATURE_INVALID", with_numbers(R, sm2.ORDER)),
    "s as large as can be": (2, "SIGNATURE_INVALID", with_numbers(R, 2**256 - 1)),
    "r and s that cancel": (2, "SIGNATURE_INVALID", with_numbers(R, sm2.ORDER - R)),
    "s the other way": (2, "SIGNATURE_INVALID", with_numbers(R, sm2.ORDER - S)),
    "r and s exchanged": (2, "SIGNATURE_INVALID", with_numbers(S, R)),
    "signature with only r": (1, "JWS_BASE64URL", with_token(f"{HEADER}.{PAYLOAD}.{SIGNATURE[:43]}")),
    "key retired before the anchor": (
        2,
        "KEY_NOT_IN_FORCE",
        lambda: GENUINE.account(SM_ISSUER, valid_to=ANCHORED).verify(),
    ),
    "compromised key": (
        2,
        "KEY_COMPROMISED",
        lambda: GENUINE.account(SM_ISSUER, compromised_at=ANCHORED).verify(),
    ),
    "SM3 digests in an ES256K certificate": (1, "SUITE_MIXED", lambda: usage(algorithm="sm3").verify()),
    "SHA-256 digests in an SM2 certificate": (1, "SUITE_MIXED", lambda: sm_usage(algorithm="sha-256").verify()),
    "SHA-256 digests said to be SM3": (4, "DISCLOSURE_FOREIGN", lambda: sm_usage(digests_by("sha-256")).verify()),
    "SM3 digests said to be SHA-256": (
        4,
        "DISCLOSURE_FOREIGN",
        lambda: usage(claims=digests_by("sm3")).verify(),
    ),
    "forged disclosure": (
        4,
        "DISCLOSURE_FOREIGN",
        lambda: GENUINE.verify_changed(("certificate", "~".join([SHOWN[0], FORGED.encoded, SHOWN[-1]]))),
    ),
    "statement digest by SM3": (1, "ENTRY_SHAPE", lambda: sm_usage(NAMED_BY_SM3).verify()),
    "key binding by the holder's secp256k1 key": (10, "KEY_BINDING_INVALID", bound_with(DEVICE)),
    "key binding by the issuer": (10, "KEY_BINDING_INVALID", bound_with(SM_ISSUER)),
    "key binding over a SHA-256 hash": (
        10,
        "KEY_BINDING_DIFFERS",
        bound_with(sd_hash=sha256_of("~".join([*SHOWN[:-1], ""]))),
    ),
    "holder's key said to be of secp256k1": (10, "JWK_INVALID", lambda: sm_usage(TWISTED_HOLDER).verify()),
    "key of the bundle on no curve": (
        1,
        "JWK_INVALID",
        lambda: GENUINE.verify_changed((f"keys.{SM_ISSUER.account}.x", "A" * 43)),
    ),
    "authorization changed after signing": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        with_evidence(lambda entry: entry | {"max_uses": 99}),
    ),
    "authorization under another identity": (11, "AUTHORIZATION_NOT_BY_SUBJECT", under_header(sm2_id="another")),
    "authorization said to be by ES256K": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        under_header(alg="ES256K", sm2_id=None),
    ),
    "authorization without its identity": (11, "JWS_HEADER", under_header(sm2_id=None)),
    "authorization by the provider": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda: sm_usage(subject_key=SM_TAX).verify(),
    ),
    "provision by the other provider": (11, "PROVISION_NOT_BY_PROVIDER", lambda: sm_usage(tax_key=SM_GRID).verify()),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_by_the_expected_check(name: str) -> None:
    number, code, attack = ATTACKS[name]
    require_refused(attack(), number, code)
