"""Certificates signed with ES256 (keys on P-256): the same verifier accepts them, and refuses every attack that it
refuses for ES256K.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.domain.canonical import canonical
from ledger.proof.jws import (
    Signer,
    encode_base64url,
    sign_compact,
)
from ledger.proof.report import Report
from ledger.proof.sdjwt import CERTIFICATE_TYP, KEY_BINDING_TYP, parse_certificate
from ledger.proof.suites import p256
from ledger.proof.suites.suite import ES256
from tests.proof.attacks.tampering import Attack, decoded, require_refused
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    DEVICE,
    HIDDEN,
    ISSUER,
    NONCE,
    SUBJECT,
    Actor,
    Changes,
    as_text,
)
from tests.support.bundles.made import Made
from tests.support.bundles.p256_cast import (
    P_BANK,
    P_DEVICE,
    P_GRID,
    P_HOLDER,
    P_ISSUER,
    P_OTHER_ISSUER,
    P_SUBJECT,
    P_TAX,
    p256_usage,
)
from tests.support.bundles.sm_cast import SM_HOLDER, SM_SUBJECT, SM_TAX

GENUINE = p256_usage()
HEADER, PAYLOAD, SIGNATURE = GENUINE.token.split(".")
REAL_HEADER = {"alg": "ES256", "kid": P_ISSUER.account, "typ": CERTIFICATE_TYP}
SHOWN = GENUINE.bundle.certificate.split("~")
RECORD = registration(issuer=P_ISSUER)
RAW = decoded(SIGNATURE)
R, S = int.from_bytes(RAW[:32], "big"), int.from_bytes(RAW[32:], "big")
LARGER = encode_base64url(canonical(json.loads(decoded(PAYLOAD)) | {"max_uses": 9}))


def require_valid(made: Made) -> None:
    report = made.verify()
    assert report.valid, report.first_failure


def test_certificate_signed_with_es256_is_valid() -> None:
    report = GENUINE.verify()
    assert report.valid, report.first_failure
    assert report.checks[1].message == "Signed with ES256 by an account of the chain."
    assert report.disclosed == {name: HIDDEN[name] for name in ("tax_band", "power_trend")}
    assert json.loads(decoded(HEADER)) == REAL_HEADER
    assert json.loads(decoded(PAYLOAD))["_sd_alg"] == "sha-256"


def test_registration_certificate_signed_with_es256_is_valid() -> None:
    require_valid(RECORD)
    assert parse_certificate(RECORD.bundle.certificate).issued.suite is ES256


def test_bundle_may_have_signatures_of_several_suites() -> None:
    require_valid(usage(**TO_P256_HOLDER).presenting("tax_band", holder=P_DEVICE))
    require_valid(usage(consumer_key=P_BANK, subject_key=SM_SUBJECT, tax_key=P_TAX))
    require_valid(p256_usage(subject_key=SUBJECT, tax_key=SM_TAX))
    holder: dict[str, Any] = {"claims": SM_HOLDER, "consent": {"holder_key": P_HOLDER["cnf"]["jwk"]}}
    assert usage(issuer=P_ISSUER, **holder).verify().first_failure.code == "KEY_BINDING_INVALID"


def test_withdrawal_by_a_p256_key_is_effective() -> None:
    made = p256_usage().withdrawing(SUBJECT, AT, key=P_SUBJECT)
    assert made.verify(AT - 1).checks[10].code == "OK"
    assert made.verify().checks[10].code == "AUTHORIZATION_WITHDRAWN"


# --- attacks ----------------------------------------------------------------------------------------------------------


def with_token(token: str) -> Attack:
    """Put ``token`` in the place of the JWT that the issuer signed. The holder's presentation of this token is correct,
    so only the token is attacked.
    """
    return lambda: GENUINE.presenting("tax_band", token=token, holder=P_DEVICE).verify()


def with_header(signer: Signer | None = None, **changes: Any) -> Attack:
    """Change the header of the certificate's JWT. If ``signer`` is given, it signs the changed JWT; otherwise the old
    signature stays.
    """
    signing_input = f"{encode_base64url(canonical(REAL_HEADER | changes))}.{PAYLOAD}"
    signature = SIGNATURE if signer is None else encode_base64url(signer.sign(signing_input.encode()))
    return with_token(f"{signing_input}.{signature}")


def with_numbers(r: int, s: int) -> Attack:
    signature = encode_base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return with_token(f"{HEADER}.{PAYLOAD}.{signature}")


def turned_over(signature: str) -> str:
    raw = decoded(signature)
    return encode_base64url(raw[:32] + (p256.ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big"))


def entry_turned_over(kind: str) -> Report:
    """Replace ``s`` in a genuine entry's signature by the second valid ``s``, which anyone can compute; anchor the
    result.
    """

    def write(entry: Changes) -> str:
        if entry["type"] != kind:
            return as_text(entry)
        header, _, signature = entry["signature"].split(".")
        return as_text({**entry, "signature": f"{header}..{turned_over(signature)}"})

    return p256_usage(write=write).verify()


def key_read_as_of(prefix: str) -> Report:
    """In the facts, change the prefix of an account's key to that of another curve, and keep the key's digits."""
    digits = P_ISSUER.signer.public_key.removeprefix("p256:")
    return RECORD.account(P_ISSUER, key=prefix + digits).verify()


def bound_with(holder: Actor = P_DEVICE, **changes: Any) -> Attack:
    shown = "~".join([*SHOWN[:-1], ""])
    claims = {"aud": BANK.id, "iat": AT, "nonce": NONCE, "sd_hash": parse_certificate(shown).sd_hash} | changes
    token = sign_compact(canonical(claims), holder.signer, KEY_BINDING_TYP)
    return lambda: GENUINE.verify_changed(("certificate", shown + token))


TO_P256_HOLDER: dict[str, Any] = {"claims": P_HOLDER, "consent": {"holder_key": P_HOLDER["cnf"]["jwk"]}}
TWISTED_HOLDER = {"cnf": {"jwk": P_HOLDER["cnf"]["jwk"] | {"crv": "secp256k1"}}}

ATTACKS: dict[str, tuple[int, str, Attack]] = {
    "certificate with a high s": (2, "SIGNATURE_INVALID", with_token(f"{HEADER}.{PAYLOAD}.{turned_over(SIGNATURE)}")),
    "request with a high s": (11, "REQUEST_NOT_BY_CONSUMER", lambda: entry_turned_over("request")),
    "authorization with a high s": (11, "AUTHORIZATION_NOT_BY_SUBJECT", lambda: entry_turned_over("authorization")),
    "provision with a high s": (11, "PROVISION_NOT_BY_PROVIDER", lambda: entry_turned_over("provision")),
    "r of zero": (2, "SIGNATURE_INVALID", with_numbers(0, S)),
    "s of zero": (2, "SIGNATURE_INVALID", with_numbers(R, 0)),
    "r beyond the order": (2, "SIGNATURE_INVALID", with_numbers(p256.ORDER, S)),
    "r with the order added": (2, "SIGNATURE_INVALID", with_numbers((R + p256.ORDER) % 2**256, S)),
    "s of the order": (2, "SIGNATURE_INVALID", with_numbers(R, p256.ORDER)),
    "s as large as can be": (2, "SIGNATURE_INVALID", with_numbers(R, 2**256 - 1)),
    "r and s exchanged": (2, "SIGNATURE_INVALID", with_numbers(S, R)),
    "alg said to be ES256K": (2, "SIGNATURE_INVALID", with_header(alg="ES256K")),
    "alg said to be ES256K, signed again": (2, "SIGNATURE_INVALID", with_header(P_ISSUER.signer, alg="ES256K")),
    "alg said to be SM2SM3": (1, "SUITE_MIXED", with_header(alg="SM2SM3", sm2_id="")),
    "identity of SM2": (1, "JWS_HEADER", with_header(sm2_id="1234567812345678")),
    "kid of the issuer's secp256k1 key": (2, "SIGNATURE_INVALID", with_header(P_ISSUER.signer, kid=ISSUER.account)),
    "kid that nobody bound": (2, "KEY_UNKNOWN", with_header(P_DEVICE.signer, kid=P_DEVICE.account)),
    "wrong key": (2, "SIGNATURE_INVALID", with_header(P_OTHER_ISSUER.signer)),
    "account of another issuer": (3, "ISSUER_DIFFERS", lambda: p256_usage(issuer=P_OTHER_ISSUER).verify()),
    "payload changed": (2, "SIGNATURE_INVALID", with_token(f"{HEADER}.{LARGER}.{SIGNATURE}")),
    "payload changed and signed again": (
        5,
        "NOT_INCLUDED",
        with_token(sign_compact(decoded(LARGER), P_ISSUER.signer, CERTIFICATE_TYP)),
    ),
    "key read as one of secp256k1": (2, "SIGNATURE_INVALID", lambda: key_read_as_of("")),
    "key read as one of SM2": (2, "SIGNATURE_INVALID", lambda: key_read_as_of("sm2:")),
    "key retired before the anchor": (
        2,
        "KEY_NOT_IN_FORCE",
        lambda: GENUINE.account(P_ISSUER, valid_to=ANCHORED).verify(),
    ),
    "SM3 digests in an ES256 certificate": (1, "SUITE_MIXED", lambda: p256_usage(algorithm="sm3").verify()),
    "key binding by the holder's secp256k1 key": (10, "KEY_BINDING_INVALID", bound_with(DEVICE)),
    "key binding by the issuer": (10, "KEY_BINDING_INVALID", bound_with(P_ISSUER)),
    "key binding for another nonce": (10, "KEY_BINDING_DIFFERS", bound_with(nonce="yesterday's")),
    "holder's key said to be of secp256k1": (10, "JWK_INVALID", lambda: p256_usage(TWISTED_HOLDER).verify()),
    "key of the bundle on no curve": (
        1,
        "JWK_INVALID",
        lambda: GENUINE.verify_changed((f"keys.{P_ISSUER.account}.x", "A" * 43)),
    ),
    "authorization by the provider": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda: p256_usage(subject_key=P_TAX).verify(),
    ),
    "provision by the other provider": (11, "PROVISION_NOT_BY_PROVIDER", lambda: p256_usage(tax_key=P_GRID).verify()),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_by_the_expected_check(name: str) -> None:
    number, code, attack = ATTACKS[name]
    require_refused(attack(), number, code)


def test_key_binding_may_have_a_signature_with_a_high_s() -> None:
    """Half of the signatures that WebCrypto makes have a high ``s``."""
    *signed, signature = SHOWN[-1].split(".")
    for each in (signature, turned_over(signature)):
        certificate = "~".join([*SHOWN[:-1], ".".join([*signed, each])])
        assert GENUINE.verify_changed(("certificate", certificate)).valid
