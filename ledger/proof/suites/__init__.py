# SPDX-License-Identifier: Apache-2.0
"""The signature suites: ES256K, ES256 and SM2 with SM3."""

from typing import Final

KEPT_KEYS: Final = 4_096
"""How many public keys are kept decoded for the next signature. Decoding a P-256 key takes half as long as a check."""
