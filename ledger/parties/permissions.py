"""The role matrix: which role may do what.

``tests/reference/role_matrix.yaml`` is the table from the requirements; for each condition of a permission, the file
names the call that checks the condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from ledger.domain.parties import Role


class Action(StrEnum):
    """The actions of the role matrix."""

    MANAGE_ROLES = "manage roles"
    EDIT_RESOURCE = "edit resource"
    PUBLISH_LISTS = "publish lists"
    GRADE = "grade / important list"
    APPLY_REGISTRATION = "apply registration"
    REVIEW_REGISTRATION = "review registration"
    CLEAR_IMPORTANT = "clear important data"
    OBJECT = "object"
    ASSESS = "assess"
    ANNUL = "annul registration"
    DRAFT_SCENARIO = "draft scenario"
    APPROVE_SCENARIO = "approve scenario"
    REQUEST_DATA = "request data"
    AUTHORISE = "authorise"
    SUPPLY_DATA = "supply data"
    ISSUE_CERTIFICATE = "issue certificate"
    SEE_PAYLOAD = "see payload"
    OPEN_PAYLOAD = "see payload for a case"
    VERIFY = "verify"
    REVOKE_CERTIFICATE = "revoke certificate"
    HOLD_CERTIFICATE = "hold certificate"
    FREEZE = "freeze"
    READ_LOG = "read full log"
    ERASE = "erase personal text"


class Reach(StrEnum):
    """The extent of a permission: every record, the party's own records, or only reading."""

    ANY = "any"
    OWN = "own"
    READ = "read"


_OWN: Final = Reach.OWN
_ANY: Final = Reach.ANY
_READ: Final = Reach.READ

MATRIX: Final[Mapping[Action, Mapping[Role, Reach]]] = {
    Action.MANAGE_ROLES: {Role.AUTHORITY: _ANY, Role.ADMIN: _ANY, Role.SUPERVISOR: _READ}
    | dict.fromkeys(
        (Role.SUBJECT, Role.PROVIDER, Role.CONSUMER, Role.ISSUER, Role.REGISTRAR, Role.ASSESSOR, Role.BROKER), _OWN
    ),
    # A broker's own records include the records of its principals; a chief data officer's own records include the
    # records of its departments.
    Action.APPLY_REGISTRATION: {Role.PROVIDER: _OWN, Role.CONSUMER: _OWN, Role.BROKER: _OWN, Role.SUPERVISOR: _READ},
    Action.EDIT_RESOURCE: {Role.PROVIDER: _OWN} | dict.fromkeys((Role.AUTHORITY, Role.CDO, Role.SUPERVISOR), _READ),
    Action.PUBLISH_LISTS: {
        Role.PROVIDER: _OWN,
        Role.CONSUMER: _OWN,
        Role.AUTHORITY: _ANY,
        Role.CDO: _OWN,
        Role.SUPERVISOR: _READ,
    },
    Action.GRADE: {
        Role.PROVIDER: _OWN,
        Role.AUTHORITY: _ANY,
        Role.CDO: _ANY,
        Role.SUPERVISOR: _ANY,
        Role.ASSESSOR: _READ,
    },
    Action.REVIEW_REGISTRATION: {Role.REGISTRAR: _ANY, Role.AUTHORITY: _READ, Role.SUPERVISOR: _READ},
    Action.CLEAR_IMPORTANT: dict.fromkeys((Role.AUTHORITY, Role.CDO, Role.SUPERVISOR), _ANY),
    Action.OBJECT: dict.fromkeys((Role.SUBJECT, Role.PROVIDER, Role.CONSUMER, Role.BROKER), _ANY),
    Action.ASSESS: {Role.ASSESSOR: _ANY},
    Action.ANNUL: dict.fromkeys((Role.REGISTRAR, Role.AUTHORITY, Role.SUPERVISOR), _ANY),
    Action.DRAFT_SCENARIO: {Role.ISSUER: _ANY, Role.AUTHORITY: _READ, Role.SUPERVISOR: _READ},
    Action.APPROVE_SCENARIO: {Role.AUTHORITY: _ANY, Role.SUPERVISOR: _ANY},
    Action.REQUEST_DATA: {Role.CONSUMER: _ANY, Role.BROKER: _OWN},
    Action.AUTHORISE: {Role.SUBJECT: _OWN},
    Action.SUPPLY_DATA: {Role.PROVIDER: _OWN},
    Action.ISSUE_CERTIFICATE: {Role.ISSUER: _ANY},
    Action.SEE_PAYLOAD: {Role.SUBJECT: _OWN, Role.PROVIDER: _OWN, Role.CONSUMER: _OWN},
    Action.OPEN_PAYLOAD: {Role.SUPERVISOR: _ANY},
    Action.VERIFY: {Role.SUBJECT: _OWN, Role.PROVIDER: _OWN, Role.CONSUMER: _OWN}
    | dict.fromkeys(
        (Role.ISSUER, Role.REGISTRAR, Role.AUTHORITY, Role.CDO, Role.SUPERVISOR, Role.ASSESSOR, Role.BROKER), _ANY
    ),
    # Only the issuer revokes a certificate. A provider may request the revocation because of its own data; an authority
    # or a supervisor may only hold the certificate.
    Action.REVOKE_CERTIFICATE: {Role.ISSUER: _ANY, Role.PROVIDER: _OWN},
    Action.HOLD_CERTIFICATE: {Role.AUTHORITY: _ANY, Role.SUPERVISOR: _ANY},
    Action.FREEZE: {Role.AUTHORITY: _ANY, Role.SUPERVISOR: _ANY},
    Action.READ_LOG: dict.fromkeys((Role.ISSUER, Role.REGISTRAR, Role.AUTHORITY, Role.SUPERVISOR), _ANY)
    | dict.fromkeys((Role.SUBJECT, Role.PROVIDER, Role.CONSUMER, Role.BROKER, Role.CDO), _OWN),
    # This row is not in the requirements' table: PIPL art. 47 gives the subject the right to erasure, and those who
    # keep the data must erase it.
    Action.ERASE: {Role.SUBJECT: _OWN, Role.ISSUER: _ANY, Role.AUTHORITY: _ANY},
}


def allowed(action: Action, roles: Iterable[Role], *, owns: bool = False, reads: bool = False) -> bool:
    """Return whether one of the roles allows the action.

    ``owns``: the record is the party's own; ``reads``: the call only reads.
    """
    reaches = {MATRIX[action].get(role) for role in roles}
    return Reach.ANY in reaches or (owns and Reach.OWN in reaches) or (reads and Reach.READ in reaches)
