"""A signature is valid only under the algorithm of its key's curve: secp256k1, P-256 and SM2."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.canonical import canonical
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.jws import (
    Jwk,
    encode_base64url,
    parse_compact,
    public_jwk,
    sign_compact,
)
from ledger.proof.suites import KEPT_KEYS, p256, suite
from ledger.proof.suites.suite import CURVES, SUITES, suite_of_key
from tests.support.bundles.cast import (
    ISSUER,
    Actor,
)
from tests.support.bundles.p256_cast import (
    P_ISSUER,
)
from tests.support.bundles.sm_cast import SM_ISSUER

BY_CURVE = {"secp256k1": ISSUER, "P-256": P_ISSUER, "SM2": SM_ISSUER}
ALGORITHMS = ("ES256K", "ES256", "SM2SM3", "ES384", "ES512", "EdDSA", "RS256", "HS256", "none", "es256", "")


def key_of(actor: Actor) -> str:
    return actor.signer.public_key


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("crv", BY_CURVE)
def test_signature_is_valid_only_under_the_algorithm_of_its_curve(crv: str, alg: str) -> None:
    """The key signs headers with every ``alg``. A signature is valid only if the ``alg`` in its header is the algorithm
    of the key's curve.
    """
    signer = BY_CURVE[crv].signer
    identity = {"sm2_id": signer.algorithm.get("sm2_id", "")} if alg == "SM2SM3" else {}
    header = {"alg": alg, "kid": signer.kid, "typ": "test", **identity}
    signing_input = f"{encode_base64url(canonical(header))}.e30"
    token = f"{signing_input}.{encode_base64url(signer.sign(signing_input.encode()))}"
    if alg not in SUITES:
        with pytest.raises(BadBundle, match="JWS_ALGORITHM"):
            parse_compact(token, "test")
        return
    counts = {actor.account for actor in BY_CURVE.values() if parse_compact(token, "test").signed_by(key_of(actor))}
    assert counts == ({signer.kid} if CURVES[crv].alg == alg else set())


@pytest.mark.parametrize("kty", ["EC", "ec", "OKP", "RSA", "oct", "", None])
@pytest.mark.parametrize("crv", [*BY_CURVE, "P-384", "P-521", "Ed25519", "p-256", "sm2", "", None, []])
@pytest.mark.parametrize("own", BY_CURVE)
def test_jwk_is_valid_only_with_its_own_curve(own: str, crv: Any, kty: Any) -> None:
    jwk = public_jwk(key_of(BY_CURVE[own])).to_dict() | {"kty": kty, "crv": crv}
    if (kty, crv) == ("EC", own):
        assert Jwk.from_dict(jwk).compressed == key_of(BY_CURVE[own])
        return
    with pytest.raises(InvalidInput, match="JWK_INVALID"):
        Jwk.from_dict(jwk)


@pytest.mark.parametrize("crv", BY_CURVE)
def test_a_key_written_as_text_names_the_curve_of_the_key(crv: str) -> None:
    key = key_of(BY_CURVE[crv])
    assert suite_of_key(key) is CURVES[crv]
    digits = key.rpartition(":")[2]
    assert (len(digits), digits[:2] in ("02", "03")) == (66, True)
    for other in CURVES.values():
        if other.curve != crv:
            assert suite_of_key(other.prefix + digits) is other
            with pytest.raises(ValueError):
                other.point_of(key)


@pytest.mark.parametrize(
    ("crv", "decoding"), [("secp256k1", suite._public_key), ("P-256", p256._public_key)], ids=["secp256k1", "P-256"]
)
def test_a_key_is_decoded_once_for_all_its_signatures(crv: str, decoding: Any) -> None:
    """Decoded keys are kept for the next signature, but only a limited number of them."""
    actor = BY_CURVE[crv]
    tokens = [sign_compact(b"%d" % number, actor.signer, "test") for number in range(20)]
    decoding.cache_clear()
    assert all(parse_compact(token, "test").signed_by(key_of(actor)) for token in tokens)
    assert decoding.cache_info()[:3] == (19, 1, KEPT_KEYS)
