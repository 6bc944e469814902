"""PyPI's ``sd-jwt`` as a verifier of ours."""

from __future__ import annotations

from sd_jwt.verifier import SDJWTVerifier


class Verifier(SDJWTVerifier):
    """The library takes key bindings by ES256 unless it is given another algorithm."""

    algorithm = "ES256K"

    def _verify_key_binding_jwt(self, expected_aud: str | None = None, expected_nonce: str | None = None) -> None:
        super()._verify_key_binding_jwt(expected_aud, expected_nonce, sign_alg=self.algorithm)
