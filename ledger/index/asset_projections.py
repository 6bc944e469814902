"""What the events of the asset register do to the index; rules as in ``ledger.index.projections``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, true, update

from ledger.domain.assets.names import (
    APPLICATION_KINDS,
    DESCRIBING,
    GRADES,
    OBJECTION_STATES,
    RELATIONS,
    RIGHT_KINDS,
    STAGES,
)
from ledger.index import tables
from ledger.index.events import Handler, IndexedEvent

NO_APPLICATION: Final = {"kind": "", "stage": "", "until": 0}
NO_OFFER: Final = {"offered_to": 0, "until": 0}
NO_FINGERPRINT: Final = "00" * 32
CLOSED: Final = ("upheld", "dismissed", "refused")


def _registered(connection: Connection, event: IndexedEvent) -> None:
    args = event.args
    connection.execute(
        insert(tables.ASSETS).values(
            id=args["id"],
            asset_no=args["assetNo"],
            state="applied",
            kind="first",
            stage="submitted",
            grade=GRADES[args["grade"]],
            cleared=False,
            holder_no=args["holder"],
            content=args["content"],
            filed=args["content"],
            fingerprint=args["fingerprint"],
            frozen=False,
            objections=0,
            until=0,
            valid_to=0,
            offered_to=0,
            registered_at=event.at,
            registered_by=event.by,
            since=event.at,
        )
    )


def _filed(connection: Connection, event: IndexedEvent) -> None:
    assets, args = tables.ASSETS, event.args
    grade = GRADES[args["grade"]]
    values: dict[str, Any] = {"filed": args["content"]}
    if args["fingerprint"] != NO_FINGERPRINT:
        values["fingerprint"] = args["fingerprint"]
    # A security review is of one content at one grade.
    changed = assets.c.grade != grade if "fingerprint" not in values else true()
    connection.execute(update(assets).where(assets.c.id == args["id"], changed).values(grade=grade, cleared=False))
    _set(connection, event, kind=APPLICATION_KINDS[args["kind"]], stage="submitted", **NO_OFFER, **values)


def _advanced(connection: Connection, event: IndexedEvent) -> None:
    _set(connection, event, stage=STAGES[event.args["stage"]], until=event.args["until"])


def _rejected(connection: Connection, event: IndexedEvent) -> None:
    ended = {"state": "rejected"} if APPLICATION_KINDS[event.args["kind"]] == "first" else {}
    _set(connection, event, **NO_APPLICATION, **ended)


def _confirmed(connection: Connection, event: IndexedEvent) -> None:
    kind = APPLICATION_KINDS[event.args["kind"]]
    state = "cancelled" if kind == "cancel" else "confirmed"
    content = {"content": tables.ASSETS.c.filed} if kind in DESCRIBING else {}
    _set(connection, event, **NO_APPLICATION, **content, state=state, valid_to=event.args["validTo"])


def _cleared(connection: Connection, event: IndexedEvent) -> None:
    _set(connection, event, cleared=True)


def _objected(connection: Connection, event: IndexedEvent) -> None:
    _count_objections(connection, event, 1)
    connection.execute(
        insert(tables.OBJECTIONS).values(
            asset=event.args["id"],
            no=event.args["no"],
            objector_no=event.by,
            to_application=event.args["toApplication"],
            state="filed",
            grounds=event.args["grounds"],
            filed_at=event.at,
            decided_at=0,
        )
    )


def _objection_decided(connection: Connection, event: IndexedEvent) -> None:
    state = OBJECTION_STATES[event.args["state"]]
    objections, assets = tables.OBJECTIONS, tables.ASSETS
    mine = (objections.c.asset == event.args["id"]) & (objections.c.no == event.args["no"])
    closed = {"decided_at": event.at} if state in CLOSED else {}
    connection.execute(update(objections).where(mine).values(state=state, **closed))
    if closed:
        _count_objections(connection, event, -1)
    if state == "upheld" and not connection.scalar(select(objections.c.to_application).where(mine)):
        standing = (assets.c.id == event.args["id"]) & (assets.c.state == "confirmed")
        connection.execute(update(assets).where(standing).values(frozen=True))


def _offered(connection: Connection, event: IndexedEvent) -> None:
    _set(connection, event, offered_to=event.args["to"], until=event.args["deadline"])


def _accepted(connection: Connection, event: IndexedEvent) -> None:
    _set(connection, event, holder_no=event.args["to"], since=event.at, **NO_OFFER)


def _reassigned(connection: Connection, event: IndexedEvent) -> None:
    # An application under notice stays open, and its notice goes on.
    assets = tables.ASSETS
    offered = (assets.c.id == event.args["id"]) & (assets.c.offered_to != 0)
    connection.execute(update(assets).where(offered).values(NO_OFFER))
    _set(connection, event, holder_no=event.args["to"], since=event.at)


def _offer_ended(connection: Connection, event: IndexedEvent) -> None:
    _set(connection, event, **NO_OFFER)


def _frozen(connection: Connection, event: IndexedEvent) -> None:
    _set(connection, event, frozen=True)


def _unfrozen(connection: Connection, event: IndexedEvent) -> None:
    _set(connection, event, frozen=False)


def _annulled(connection: Connection, event: IndexedEvent) -> None:
    _set(connection, event, state="annulled", offered_to=0, **NO_APPLICATION)


def _right_granted(connection: Connection, event: IndexedEvent) -> None:
    args = event.args
    connection.execute(
        insert(tables.RIGHTS).values(
            asset=args["id"],
            no=args["no"],
            kind=RIGHT_KINDS[args["kind"]],
            exclusive=args["exclusive"],
            sublicensable=args["sublicensable"],
            transferable=args["transferable"],
            grantee_no=args["grantee"],
            start=args["from"],
            end=args["to"],
            parent=args["parent"],
            scope=args["scope"],
        )
    )


def _right_transferred(connection: Connection, event: IndexedEvent) -> None:
    connection.execute(update(tables.RIGHTS).where(_right(event)).values(grantee_no=event.args["to"]))


def _right_ended(connection: Connection, event: IndexedEvent) -> None:
    rights = tables.RIGHTS
    connection.execute(update(rights).where(_right(event)).values(end=event.at))
    connection.execute(update(rights).where(_right(event), rights.c.start > event.at).values(start=event.at))


def _pledged(connection: Connection, event: IndexedEvent) -> None:
    connection.execute(
        insert(tables.LIENS).values(
            asset=event.args["id"],
            lien=event.args["lien"],
            creditor_no=event.args["creditor"],
            rank=event.args["rank"],
            sole=event.args["sole"],
            consent_to=0,
            since=event.at,
        )
    )


def _lien_consented(connection: Connection, event: IndexedEvent) -> None:
    connection.execute(update(tables.LIENS).where(_lien(event)).values(consent_to=event.args["to"]))


def _lien_released(connection: Connection, event: IndexedEvent) -> None:
    connection.execute(delete(tables.LIENS).where(_lien(event)))


def _linked(connection: Connection, event: IndexedEvent) -> None:
    _relate(connection, event, RELATIONS[event.args["relation"]], event.args["parent"])


def _replaced(connection: Connection, event: IndexedEvent) -> None:
    _relate(connection, event, "replaced_by", event.args["successor"])


def _assessed(_connection: Connection, _event: IndexedEvent) -> None:
    """A report changes nothing of the asset: it stands in the history alone."""


ASSET_HANDLERS: Final[Mapping[str, Handler]] = {
    "Registered": _registered,
    "Filed": _filed,
    "Advanced": _advanced,
    "Rejected": _rejected,
    "Confirmed": _confirmed,
    "Cleared": _cleared,
    "Objected": _objected,
    "ObjectionDecided": _objection_decided,
    "TransferOffered": _offered,
    "TransferAccepted": _accepted,
    "TransferRejected": _offer_ended,
    "TransferWithdrawn": _offer_ended,
    "Reassigned": _reassigned,
    "Frozen": _frozen,
    "Unfrozen": _unfrozen,
    "Annulled": _annulled,
    "RightGranted": _right_granted,
    "RightTransferred": _right_transferred,
    "RightEnded": _right_ended,
    "Pledged": _pledged,
    "LienConsented": _lien_consented,
    "LienReleased": _lien_released,
    "Linked": _linked,
    "Replaced": _replaced,
    "Assessed": _assessed,
}


def _set(connection: Connection, event: IndexedEvent, **values: Any) -> None:
    connection.execute(update(tables.ASSETS).where(tables.ASSETS.c.id == event.args["id"]).values(values))


def _count_objections(connection: Connection, event: IndexedEvent, more: int) -> None:
    _set(connection, event, objections=tables.ASSETS.c.objections + more)


def _right(event: IndexedEvent) -> Any:
    return (tables.RIGHTS.c.asset == event.args["id"]) & (tables.RIGHTS.c.no == event.args["no"])


def _lien(event: IndexedEvent) -> Any:
    return (tables.LIENS.c.asset == event.args["id"]) & (tables.LIENS.c.lien == event.args["lien"])


def _relate(connection: Connection, event: IndexedEvent, relation: str, other: str) -> None:
    connection.execute(
        insert(tables.LINEAGE).values(
            block_number=event.block_number,
            log_index=event.log_index,
            asset=event.args["id"],
            relation=relation,
            other=other,
            at=event.at,
        )
    )
