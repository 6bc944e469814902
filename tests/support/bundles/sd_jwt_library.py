"""Verifies our certificates with the independent library ``sd-jwt`` from PyPI."""

from __future__ import annotations

from sd_jwt.verifier import SDJWTVerifier


class Verifier(SDJWTVerifier):
    """Accepts our signature algorithm in key-binding JWTs, because the library itself would expect ES256."""

    algorithm = "ES256K"

    def _verify_key_binding_jwt(self, expected_aud: str | None = None, expected_nonce: str | None = None) -> None:
        super()._verify_key_binding_jwt(expected_aud, expected_nonce, sign_alg=self.algorithm)
