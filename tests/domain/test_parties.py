"""Kinds of parties, the bits of roles, and party ids, which depend on the party's key."""

from __future__ import annotations

import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.parties import DEFAULT_ROLES, PartyKind, Role, party_id
from ledger.domain.reasons import REASONS, reason_name

BITS = {
    Role.SUBJECT: 1, Role.PROVIDER: 2, Role.CONSUMER: 4, Role.ISSUER: 8, Role.REGISTRAR: 16, Role.AUTHORITY: 32,
    Role.CDO: 64, Role.SUPERVISOR: 128, Role.ASSESSOR: 256, Role.BROKER: 512, Role.ADMIN: 1024,
}  # fmt: skip
KEY = bytes(range(32))


@pytest.mark.parametrize("role", Role)
def test_each_role_has_its_own_bit(role: Role) -> None:
    assert Role.mask([role]) == BITS[role]


@given(st.lists(st.sampled_from(Role)))
def test_the_mask_of_several_roles_is_the_union_of_their_bits(roles: list[Role]) -> None:
    assert Role.mask(roles) == sum(BITS[role] for role in set(roles))


def test_every_kind_of_party_has_default_roles_without_authority_or_admin() -> None:
    assert DEFAULT_ROLES.keys() == set(PartyKind)
    for roles in DEFAULT_ROLES.values():
        assert roles
        assert not roles & {Role.AUTHORITY, Role.ADMIN, Role.CDO}


def test_party_id_is_the_keyed_digest_of_the_protocol() -> None:
    text = "pingzheng/party/v1|enterprise|91440802MA9X00011Y"
    expected = hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()
    assert party_id(KEY, PartyKind.ENTERPRISE, "91440802MA9X00011Y") == expected
    assert re.fullmatch("[0-9a-f]{64}", expected)


def test_party_id_depends_on_secret_key_and_kind_and_identifier() -> None:
    ids = {
        party_id(key, kind, identifier)
        for key in (KEY, KEY[::-1])
        for kind in (PartyKind.ENTERPRISE, PartyKind.SOLE_TRADER)
        for identifier in ("91440802MA9X00011Y", "91440803MA9X0002X5")
    }
    assert len(ids) == 8


@pytest.mark.parametrize(("number", "name"), [*enumerate(REASONS), (len(REASONS), f"reason_{len(REASONS)}")])
def test_reason_number_has_the_expected_name(number: int, name: str) -> None:
    assert reason_name(number) == name
