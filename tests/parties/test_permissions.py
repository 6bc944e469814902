"""Compares the role matrix in the code, cell by cell, with the table in the requirements."""

from __future__ import annotations

from itertools import combinations

import pytest

from ledger.domain.parties import DEFAULT_ROLES, PartyKind, Role
from ledger.parties.permissions import MATRIX, Action, Reach, allowed

# any: every record; own: the party's own records; read: only reading; –: never. The columns are in the order of the
# roles' bits. A star marks a condition of the requirements that a role matrix cannot express: a broker's mandate, a
# provider's co-signature, a case, a department, a class of certificate, an approval that is not an edit. "–*" refuses;
# "any*" leaves the condition to the service.
COLUMNS = "subject provider consumer issuer registrar authority cdo supervisor assessor broker admin"
TABLE = """
                       S     P     C     I     R     A     D     V     T     B     X
manage roles         | own | own | own | own | own | any | –   | read| own | own | any
edit resource        | –   | own | –   | –   | –   | read| read*| read| –  | –   | –
publish lists        | –   | own | own | –   | –   | any | own*| read| –   | –   | –
grade / important list|–   | own | –   | –   | –   | any | any | any | read| –   | –
apply registration   | –   | own | own | –   | –   | –   | –   | read| –   | own*| –
review registration  | –   | –   | –   | –   | any | read| –   | read| –*  | –   | –
clear important data | –   | –   | –   | –   | –   | any | any | any | –   | –   | –
object               | any | any | any | –   | –   | –   | –   | –   | –   | any | –
assess               | –   | –   | –   | –   | –   | –   | –   | –   | any | –   | –
annul registration   | –   | –   | –   | –   | any | any | –   | any | –   | –   | –
draft scenario       | –   | –   | –   | any | –   | read| –   | read| –   | –   | –
approve scenario     | –   | –   | –   | –   | –   | any | –   | any | –   | –   | –
request data         | –   | –   | any | –   | –   | –   | –   | –*  | –   | own*| –
authorise            | own | –   | –   | –   | –   | –   | –   | –   | –   | –   | –
supply data          | –   | own | –   | –   | –   | –   | –   | –   | –   | –   | –
issue certificate    | –   | –*  | –   | any | –*  | –   | –   | –   | –   | –   | –
see payload          | own | own | own | –   | –   | –   | –   | –*  | –   | –   | –
see payload for a case|–   | –   | –   | –   | –   | –   | –   | any*| –   | –   | –
verify               | own | own | own | any | any | any | any | any | any | any | –
revoke certificate   | –*  | own*| –   | any | –*  | –*  | –   | –*  | –   | –   | –
hold certificate     | –   | –   | –   | –   | –   | any | –   | any | –   | –   | –
freeze               | –   | –   | –   | –   | –   | any | –   | any | –   | –   | –
read full log        | own | own | own | any | any | any | own*| any | –   | own | –*
erase personal text  | own | –   | –   | any | –   | any | –   | –   | –   | –   | –
"""
ROLES = [Role(name) for name in COLUMNS.split()]
WRITTEN_OUT = {
    (Action(action.strip()), role): cell.strip(" *")
    for action, *cells in (line.split("|") for line in TABLE.strip().splitlines()[1:])
    for role, cell in zip(ROLES, cells, strict=True)
}
CELLS = [
    pytest.param(action, role, cell, id=f"{role}: {action}: {cell}") for (action, role), cell in WRITTEN_OUT.items()
]


@pytest.mark.parametrize(("action", "role", "cell"), CELLS)
def test_each_cell_of_the_matrix(action: Action, role: Role, cell: str) -> None:
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
def test_admin_may_only_manage_roles(action: Action) -> None:
    assert not allowed(action, [Role.ADMIN], owns=True, reads=True)


def test_admin_may_not_issue_certificates() -> None:
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
