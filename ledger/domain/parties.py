# SPDX-License-Identifier: Apache-2.0
"""Parties: their kinds, roles and ids. A party's id is computed with a secret key; once this key is destroyed, the id
reveals nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class PartyKind(StrEnum):
    """The kind of a party, such as a bank or a person."""

    GOV_DEPT = "gov_dept"
    PUBLIC_INST = "public_inst"
    UTILITY = "utility"
    OPERATOR = "operator"
    DEVELOPER = "developer"
    BANK = "bank"
    ENTERPRISE = "enterprise"
    SOLE_TRADER = "sole_trader"
    PERSON = "person"
    ASSESSOR = "assessor"
    BROKER = "broker"
    REGISTRAR = "registrar"
    SUPERVISOR = "supervisor"


class Role(StrEnum):
    """A role that a party can have. The roles have the same order as their bits on the chain (protocol §3)."""

    SUBJECT = "subject"
    PROVIDER = "provider"
    CONSUMER = "consumer"
    ISSUER = "issuer"
    REGISTRAR = "registrar"
    AUTHORITY = "authority"
    CDO = "cdo"
    SUPERVISOR = "supervisor"
    ASSESSOR = "assessor"
    BROKER = "broker"
    ADMIN = "admin"

    @classmethod
    def mask(cls, roles: Iterable[Role]) -> int:
        """Return a bit mask of the roles."""
        wanted = set(roles)
        return sum(1 << bit for bit, role in enumerate(cls) if role in wanted)


# The roles that only an authority can grant and remove. If an admin could grant these roles, the admin could register a
# party and make it an authority.
OFFICES: Final = frozenset(Role) - {Role.SUBJECT, Role.PROVIDER, Role.CONSUMER, Role.BROKER}

DEFAULT_ROLES: Final[dict[PartyKind, frozenset[Role]]] = {
    PartyKind.GOV_DEPT: frozenset({Role.PROVIDER, Role.CONSUMER}),
    PartyKind.PUBLIC_INST: frozenset({Role.PROVIDER, Role.CONSUMER}),
    PartyKind.UTILITY: frozenset({Role.PROVIDER}),
    PartyKind.OPERATOR: frozenset({Role.ISSUER}),
    PartyKind.DEVELOPER: frozenset({Role.CONSUMER}),
    PartyKind.BANK: frozenset({Role.CONSUMER}),
    PartyKind.ENTERPRISE: frozenset({Role.SUBJECT}),
    PartyKind.SOLE_TRADER: frozenset({Role.SUBJECT}),
    PartyKind.PERSON: frozenset({Role.SUBJECT}),
    PartyKind.ASSESSOR: frozenset({Role.ASSESSOR}),
    PartyKind.BROKER: frozenset({Role.BROKER}),
    PartyKind.REGISTRAR: frozenset({Role.REGISTRAR}),
    PartyKind.SUPERVISOR: frozenset({Role.SUPERVISOR}),
}


def party_id(key: bytes, kind: PartyKind, identifier: str) -> str:
    """Return the party's id, 64 hex digits. ``key`` is 32 random bytes that are made for this party only (protocol
    §1).
    """
    return hmac.new(key, f"pingzheng/party/v1|{kind.value}|{identifier}".encode(), hashlib.sha256).hexdigest()
