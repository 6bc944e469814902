"""The certificate is an SD-JWT to others as well: the library of the standard's authors verifies it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from sd_jwt.verifier import SDJWTVerifier

from ledger.proof.jws import encode_base64url, entry_signature, public_jwk
from ledger.proof.sdjwt import Disclosed
from tests.proof.builder import registration, usage
from tests.proof.cast import BANK, DEVICE, HIDDEN, ISSUER, NONCE, OTHER_BANK, SUBJECT, TAX, Actor

GENUINE = usage()


def jwk(actor: Actor) -> JWK:
    return JWK(**public_jwk(actor.signer.public_key).to_dict())


class Verifier(SDJWTVerifier):
    """The library takes key bindings by ES256 unless it is told another algorithm."""

    def _verify_key_binding_jwt(self, expected_aud: str | None = None, expected_nonce: str | None = None) -> None:
        super()._verify_key_binding_jwt(expected_aud, expected_nonce, sign_alg="ES256K")


def theirs(
    certificate: str, *, issuer: Actor = ISSUER, audience: str | None = BANK.id, nonce: str | None = NONCE
) -> dict[str, Any]:
    return Verifier(certificate, lambda *_: jwk(issuer), audience, nonce).get_verified_payload()


@pytest.mark.parametrize("names", [(), ("tax_band",), ("tax_trend", "power_trend"), tuple(HIDDEN)])
def test_it_accepts_the_certificate_and_reads_the_same_claims(names: tuple[str, ...]) -> None:
    made = GENUINE.presenting(*names)
    payload, report = theirs(made.bundle.certificate), made.verify()
    assert {name: payload.pop(name) for name in names} == report.disclosed == {name: HIDDEN[name] for name in names}
    assert payload.pop("cnf") == {"jwk": public_jwk(DEVICE.signer.public_key).to_dict()}
    assert payload == report.claims


def test_it_accepts_a_registration_certificate() -> None:
    made = registration()
    assert theirs(made.bundle.certificate, audience=None, nonce=None) == made.verify().claims


@pytest.mark.parametrize("expected", [{"audience": OTHER_BANK.id}, {"nonce": "another"}])
def test_it_refuses_a_presentation_to_another(expected: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"Invalid {next(iter(expected))}"):
        theirs(GENUINE.bundle.certificate, **expected)


def test_it_refuses_a_key_binding_over_other_disclosures() -> None:
    token, *_, binding = GENUINE.bundle.certificate.split("~")
    with pytest.raises(ValueError, match="digest"):
        theirs(f"{token}~{binding}")


def test_it_refuses_a_key_binding_by_another_key() -> None:
    with pytest.raises(JWException):
        theirs(GENUINE.presenting(holder=SUBJECT).bundle.certificate)


def test_it_refuses_another_issuers_key() -> None:
    with pytest.raises(JWException):
        theirs(GENUINE.bundle.certificate, issuer=TAX)


def test_it_refuses_a_changed_payload() -> None:
    header, payload, signature = GENUINE.token.split(".")
    raw = JWS()
    raw.deserialize(GENUINE.token, jwk(ISSUER))
    changed = encode_base64url(raw.payload.replace(b'"max_uses":3', b'"max_uses":9'))
    assert changed != payload
    with pytest.raises(JWException):
        theirs(GENUINE.bundle.certificate.replace(GENUINE.token, f"{header}.{changed}.{signature}"))


def test_it_does_not_take_a_forged_disclosure_for_a_claim() -> None:
    forged = Disclosed(GENUINE.hidden[0].salt, "tax_band", "A")
    certificate = f"{GENUINE.token}~{forged.encoded}~"
    assert "tax_band" not in theirs(certificate, audience=None, nonce=None)


@pytest.mark.parametrize(("place", "signer"), [(0, SUBJECT), (1, TAX)])
def test_a_detached_signature_is_a_jws_to_others(place: int, signer: Actor) -> None:
    entry = json.loads(GENUINE.bundle.evidence[place].entry)
    header, _, signature = entry["signature"].split(".")
    token = f"{header}.{encode_base64url(entry_signature(entry).payload)}.{signature}"
    jws = JWS()
    jws.deserialize(token)
    jws.verify(jwk(signer), alg="ES256K")
    with pytest.raises(JWException):
        jws.verify(jwk(ISSUER), alg="ES256K")
