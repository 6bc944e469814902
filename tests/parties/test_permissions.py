"""Compares the permissions in the code, cell by cell, with the role matrix in tests/reference."""

from __future__ import annotations

from itertools import combinations

import pytest

from ledger.domain.parties import DEFAULT_ROLES, PartyKind, Role
from ledger.parties.permissions import MATRIX, Action, Reach, allowed
from tests.reference.role_matrix import CELLS as MATRIX_CELLS
from tests.reference.role_matrix import COLUMNS, PERMISSIONS, ROLE_OF

ROLES = [ROLE_OF[column] for column in COLUMNS if column != "U"]
REACHES = {"✓": "any", "o": "own", "r": "read", "–": "–"}
# For each permission, its cell in every column. The cells of a permission that PERMISSIONS lists come from there; the
# cells of every other permission come from the row of the role matrix that has the permission's name.
ROWS = dict(PERMISSIONS) | {
    action: {column: REACHES[cells[column]] for column in COLUMNS if column != "U"}
    for action, cells in MATRIX_CELLS.items()
    if action in set(Action) and action not in PERMISSIONS
}
WRITTEN_OUT = {
    (Action(action), ROLE_OF[column]): cell.strip("*")
    for action, cells in ROWS.items()
    for column, cell in cells.items()
}
CELLS = [
    pytest.param(action, role, cell, id=f"{role}: {action}: {cell}") for (action, role), cell in WRITTEN_OUT.items()
]


@pytest.mark.parametrize(("action", "role", "cell"), CELLS)
def test_each_role_may_do_exactly_what_the_role_matrix_allows(action: Action, role: Role, cell: str) -> None:
    assert allowed(action, [role]) == (cell == "any")
    assert allowed(action, [role], owns=True) == (cell in ("any", "own"))
    assert allowed(action, [role], reads=True) == (cell in ("any", "read"))


def test_the_role_matrix_has_a_cell_for_every_action_and_role() -> None:
    assert list(Role) == ROLES
    assert {action for action, _ in WRITTEN_OUT} == set(Action) == MATRIX.keys()
    assert len(WRITTEN_OUT) == len(Action) * len(Role)
    assert {reach.value for reach in Reach} | {"–"} == set(WRITTEN_OUT.values())


@pytest.mark.parametrize("action", Action)
def test_every_action_is_allowed_for_at_least_one_role(action: Action) -> None:
    assert not allowed(action, [])
    assert not allowed(action, [], owns=True, reads=True)


@pytest.mark.parametrize("owns", [False, True], ids=["other", "own"])
@pytest.mark.parametrize("action", Action)
def test_a_party_with_two_roles_has_the_permissions_of_both(action: Action, owns: bool) -> None:
    for roles in combinations(Role, 2):
        assert allowed(action, roles, owns=owns) == any(allowed(action, [role], owns=owns) for role in roles)


@pytest.mark.parametrize("action", sorted(set(Action) - {Action.MANAGE_ROLES}))
def test_an_admin_may_only_manage_roles(action: Action) -> None:
    assert not allowed(action, [Role.ADMIN], owns=True, reads=True)


def test_an_admin_may_not_issue_certificates() -> None:
    assert not allowed(Action.ISSUE_CERTIFICATE, [Role.ADMIN])
    assert not allowed(Action.ISSUE_CERTIFICATE, [Role.ADMIN], owns=True)


@pytest.mark.parametrize("kind", PartyKind)
def test_no_kind_of_party_may_both_apply_and_review(kind: PartyKind) -> None:
    roles = DEFAULT_ROLES[kind]
    both = (Action.APPLY_REGISTRATION, Action.REVIEW_REGISTRATION)
    assert not all(allowed(action, roles, owns=True) for action in both)


@pytest.mark.parametrize("kind", sorted(set(PartyKind) - {PartyKind.OPERATOR}))
def test_only_operators_have_the_issuer_role_by_default(kind: PartyKind) -> None:
    assert not allowed(Action.ISSUE_CERTIFICATE, DEFAULT_ROLES[kind], owns=True)
