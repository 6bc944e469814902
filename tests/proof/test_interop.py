"""Other SD-JWT libraries verify and present our certificates.

``sd-jwt`` on PyPI is by the authors of the standard; ``@sd-jwt/sd-jwt-vc`` on npm uses Node's cryptography.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import pytest
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from sd_jwt.holder import SDJWTHolder

from ledger.chain.local.node_programs import find_node
from ledger.proof.jws import encode_base64url, entry_signature, public_jwk
from ledger.proof.sdjwt import Disclosed, compose
from ledger.proof.verifier import Expectation
from tests.support.bundles.builder import registration
from tests.support.bundles.cast import AT, BANK, DEVICE, EXPECT, HIDDEN, ISSUER, NONCE, OTHER_BANK, SUBJECT, TAX, Actor
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.made import Made
from tests.support.bundles.p256_cast import P_DEVICE, P_ISSUER, p256_usage
from tests.support.bundles.sd_jwt_library import Verifier

SUITES: dict[str, tuple[Made, Actor, Actor]] = {
    "ES256K": (GENUINE, ISSUER, DEVICE),
    "ES256": (p256_usage(), P_ISSUER, P_DEVICE),
}
"""A genuine certificate of each suite, with its issuer and the holder's key."""
PROGRAM = Path(__file__).parent / "foreign" / "verify.mjs"
each_suite = pytest.mark.parametrize("alg", SUITES)


def jwk(actor: Actor) -> JWK:
    return JWK(**public_jwk(actor.signer.public_key).to_dict())


def private_jwk(actor: Actor) -> JWK:
    """Return the holder's private key in the format of the library."""
    return JWK(**public_jwk(actor.signer.public_key).to_dict(), d=encode_base64url(actor.secret))


class P256Verifier(Verifier):
    algorithm = "ES256"


def theirs(
    certificate: str, *, issuer: Actor = ISSUER, audience: str | None = BANK.id, nonce: str | None = NONCE
) -> dict[str, Any]:
    kind = Verifier if issuer.suite == "ES256K" else P256Verifier
    return kind(certificate, lambda *_: jwk(issuer), audience, nonce).get_verified_payload()


@each_suite
@pytest.mark.parametrize("names", [(), ("tax_band",), ("tax_trend", "power_trend"), tuple(HIDDEN)])
def test_pypi_library_accepts_the_certificate_and_reads_the_same_claims(alg: str, names: tuple[str, ...]) -> None:
    genuine, issuer, holder = SUITES[alg]
    made = genuine.presenting(*names, holder=holder)
    payload, report = theirs(made.bundle.certificate, issuer=issuer), made.verify()
    assert {name: payload.pop(name) for name in names} == report.disclosed == {name: HIDDEN[name] for name in names}
    assert payload.pop("cnf") == {"jwk": public_jwk(holder.signer.public_key).to_dict()}
    assert payload == report.claims


@each_suite
def test_pypi_library_accepts_a_registration_certificate(alg: str) -> None:
    _, issuer, _ = SUITES[alg]
    made = registration(issuer=issuer)
    assert theirs(made.bundle.certificate, issuer=issuer, audience=None, nonce=None) == made.verify().claims


@pytest.mark.parametrize("expected", [{"audience": OTHER_BANK.id}, {"nonce": "another"}])
def test_pypi_library_refuses_a_presentation_to_another_verifier(expected: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"Invalid {next(iter(expected))}"):
        theirs(GENUINE.bundle.certificate, **expected)


def test_pypi_library_refuses_a_presentation_from_which_a_disclosure_was_removed() -> None:
    token, *_, binding = GENUINE.bundle.certificate.split("~")
    with pytest.raises(ValueError, match="digest"):
        theirs(f"{token}~{binding}")


@each_suite
def test_pypi_library_refuses_a_key_binding_signed_with_a_wrong_key(alg: str) -> None:
    genuine, issuer, _ = SUITES[alg]
    with pytest.raises(JWException):
        theirs(genuine.presenting(holder=replace(SUBJECT, suite=alg)).bundle.certificate, issuer=issuer)


@each_suite
def test_pypi_library_refuses_a_certificate_if_the_given_key_is_not_the_issuers_key(alg: str) -> None:
    genuine, _, _ = SUITES[alg]
    with pytest.raises(JWException):
        theirs(genuine.bundle.certificate, issuer=replace(TAX, suite=alg))


@each_suite
def test_pypi_library_refuses_a_changed_payload(alg: str) -> None:
    genuine, issuer, _ = SUITES[alg]
    header, payload, signature = genuine.token.split(".")
    raw = JWS()
    raw.deserialize(genuine.token, jwk(issuer))
    changed = encode_base64url(raw.payload.replace(b'"max_uses":3', b'"max_uses":9'))
    assert changed != payload
    with pytest.raises(JWException):
        certificate = genuine.bundle.certificate.replace(genuine.token, f"{header}.{changed}.{signature}")
        theirs(certificate, issuer=issuer)


def test_pypi_library_ignores_a_forged_disclosure() -> None:
    forged = Disclosed(GENUINE.hidden[0].salt, "tax_band", "A")
    certificate = f"{GENUINE.token}~{forged.encoded}~"
    assert "tax_band" not in theirs(certificate, audience=None, nonce=None)


@pytest.mark.parametrize(("place", "signer"), [(0, SUBJECT), (1, TAX)])
@each_suite
def test_detached_signature_is_accepted_by_a_jws_library(alg: str, place: int, signer: Actor) -> None:
    genuine, issuer, _ = SUITES[alg]
    entry = json.loads(genuine.bundle.evidence[place].entry)
    header, _, signature = entry["signature"].split(".")
    token = f"{header}.{encode_base64url(entry_signature(entry).payload)}.{signature}"
    jws = JWS()
    jws.deserialize(token)
    jws.verify(jwk(replace(signer, suite=alg)), alg=alg)
    with pytest.raises(JWException):
        jws.verify(jwk(issuer), alg=alg)


# --- presented by the library, verified by us -------------------------------------------------------------------------


def presented_by_them(
    alg: str, names: Sequence[str], key: Actor | None = None, audience: Actor = BANK, nonce: str = NONCE
) -> tuple[Made, int]:
    """Return a presentation of our certificate that was made by the library from PyPI, and the time that the library
    wrote into it.
    """
    genuine, _, holder = SUITES[alg]
    library = SDJWTHolder(compose(genuine.token, genuine.hidden))
    chosen = dict.fromkeys(names, True)
    library.create_presentation(chosen, nonce, audience.id, private_jwk(key or holder), sign_alg=alg)
    return replace(genuine, bundle=genuine.bundle.with_certificate(library.sd_jwt_presentation)), int(time())


@each_suite
@pytest.mark.parametrize("names", [(), ("tax_band",), tuple(HIDDEN)])
def test_presentation_by_the_pypi_library_is_accepted_by_our_verifier(alg: str, names: tuple[str, ...]) -> None:
    made, now = presented_by_them(alg, names)
    report = made.verify(expect=replace(EXPECT, received=now))
    assert report.valid, report.first_failure
    assert report.disclosed == {name: HIDDEN[name] for name in names}


REFUSED: dict[str, tuple[str, dict[str, Any], Expectation]] = {
    "another key": ("KEY_BINDING_INVALID", {"key": SUBJECT}, EXPECT),
    "another nonce": ("KEY_BINDING_DIFFERS", {"nonce": "yesterday's"}, EXPECT),
    "another consumer": ("KEY_BINDING_DIFFERS", {"audience": OTHER_BANK}, EXPECT),
}


@each_suite
@pytest.mark.parametrize("what", REFUSED)
def test_presentation_by_the_pypi_library_to_another_consumer_is_refused_by_our_verifier(alg: str, what: str) -> None:
    code, changes, expect = REFUSED[what]
    if "key" in changes:
        changes = {"key": replace(changes["key"], suite=alg)}
    made, now = presented_by_them(alg, ["tax_band"], **changes)
    assert made.verify(expect=replace(expect, received=now)).checks[9].code == code


# --- npm --------------------------------------------------------------------------------------------------------------


def in_node(*asked: dict[str, Any]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [find_node(), PROGRAM], input=json.dumps(asked), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def question(alg: str, certificate: str, **changes: Any) -> dict[str, Any]:
    issuer = public_jwk(SUITES[alg][1].signer.public_key).to_dict()
    return {"certificate": certificate, "issuer": issuer, "nonce": NONCE, "at": AT} | changes


def test_npm_library_accepts_certificates_and_reads_the_same_claims() -> None:
    presented = {alg: genuine.presenting("tax_band", holder=holder) for alg, (genuine, _, holder) in SUITES.items()}
    found = in_node(*(question(alg, made.bundle.certificate) for alg, made in presented.items()))
    for answer, made in zip(found, presented.values(), strict=True):
        report = made.verify()
        assert "error" not in answer, answer
        assert {name: answer["payload"][name] for name in report.claims} == report.claims
        assert answer["payload"]["tax_band"] == HIDDEN["tax_band"]
        assert answer["bound"]["aud"] == BANK.id
    plain = {alg: registration(issuer=issuer) for alg, (_, issuer, _) in SUITES.items()}
    found = in_node(*(question(alg, made.bundle.certificate, nonce=None) for alg, made in plain.items()))
    assert [answer["payload"] for answer in found] == [made.verify().claims for made in plain.values()]


def test_npm_library_refuses_changed_certificates() -> None:
    asked = []
    for alg, (genuine, _, holder) in SUITES.items():
        made = genuine.presenting("tax_band", holder=holder)
        stranger = genuine.presenting("tax_band", holder=replace(SUBJECT, suite=alg))
        other = public_jwk(replace(TAX, suite=alg).signer.public_key).to_dict()
        asked += [
            question(alg, made.bundle.certificate, nonce="another"),
            question(alg, made.bundle.certificate, issuer=other),
            question(alg, stranger.bundle.certificate),
        ]
    assert [sorted(answer) for answer in in_node(*asked)] == [["error"]] * len(asked)
