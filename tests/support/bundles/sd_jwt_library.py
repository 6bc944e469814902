"""The library ``sd-jwt`` of PyPI as a verifier of our certificates."""

from __future__ import annotations

from sd_jwt.verifier import SDJWTVerifier


class Verifier(SDJWTVerifier):
    """Sets the algorithm of key bindings; the library's default is ES256."""

    algorithm = "ES256K"

    def _verify_key_binding_jwt(self, expected_aud: str | None = None, expected_nonce: str | None = None) -> None:
        super()._verify_key_binding_jwt(expected_aud, expected_nonce, sign_alg=self.algorithm)
