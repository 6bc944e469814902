# SPDX-License-Identifier: Apache-2.0
"""Maps the name of each certificate class to the object that describes the class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.proof.checks.certificate_class import CertificateClass
from ledger.proof.checks.registration_certificate import REGISTRATION
from ledger.proof.checks.usage_certificate import USAGE

CERTIFICATE_CLASSES: Final[Mapping[str, CertificateClass]] = {each.name: each for each in (USAGE, REGISTRATION)}


def class_of(claims: Mapping[str, Any]) -> CertificateClass | None:
    """Return the class that a payload names, or None if it is unknown; the payload may be hostile."""
    name = claims.get("class")
    return CERTIFICATE_CLASSES.get(name) if isinstance(name, str) else None
