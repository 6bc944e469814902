"""Parties: kinds, roles, and opaque ids that reveal nothing once their key is destroyed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class PartyKind(StrEnum):
    """What a party is."""

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
    """What a party may do; the order is that of the bits on the chain (protocol §3)."""

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
        """The roles as bits."""
        wanted = set(roles)
        return sum(1 << bit for bit, role in enumerate(cls) if role in wanted)


# Given and taken by an authority only, so that an admin makes nobody an authority, not even by a party of its own.
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
    """The id, 64 hex digits, under a random 32-byte key of this party alone (protocol §1)."""
    return hmac.new(key, f"pingzheng/party/v1|{kind.value}|{identifier}".encode(), hashlib.sha256).hexdigest()
