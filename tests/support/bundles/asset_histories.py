"""Invented histories of one asset, as lists of chain events."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

from ledger.domain.assets.names import APPLICATION_KINDS, OBJECTION_STATES, RELATIONS, RIGHT_KINDS, STAGES
from ledger.domain.reasons import REASONS
from ledger.proof.assets.recorded_history import RecordedCertificate, RecordedEvent, RecordedHistory, RecordedParty
from ledger.proof.head import genesis
from ledger.proof.history import HistoryEvent, verify_history

PROVIDER, REGISTRAR, BANK, FIRM, COURT = range(1, 6)
BORN = 1_800_000_000
VALID_TO = BORN + 10_000
NOTHING = "00" * 32


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


ASSET, PARENT, SUCCESSOR = digest("asset"), digest("parent"), digest("successor")


def event(name: str, after: int, by: int, **args: Any) -> HistoryEvent:
    """Return an event of the asset that happens ``after`` seconds after its registration."""
    return HistoryEvent(f"AssetRegistry.{name}", {"id": ASSET, **args, "at": BORN + after, "by": by})


def registered() -> HistoryEvent:
    content, fingerprint = digest("content"), digest("print")
    return event(
        "Registered", 0, PROVIDER, assetNo=7, holder=PROVIDER, content=content, fingerprint=fingerprint, grade=0
    )


def advanced(after: int, stage: str, until: int = 0) -> HistoryEvent:
    return event("Advanced", after, REGISTRAR, stage=STAGES.index(stage), until=until, grounds=NOTHING)


def filed(after: int, by: int, kind: str, content: str) -> HistoryEvent:
    number = APPLICATION_KINDS.index(kind)
    return event("Filed", after, by, kind=number, content=digest(content), fingerprint=NOTHING, grade=0)


def confirmed(after: int, kind: str = "first", valid_to: int = VALID_TO) -> HistoryEvent:
    return event("Confirmed", after, REGISTRAR, kind=APPLICATION_KINDS.index(kind), validTo=valid_to)


def granted(
    after: int, by: int, no: int, kind: str, grantee: int, period: tuple[int, int], **more: Any
) -> HistoryEvent:
    """Return the event of a grant. The right's period is given in seconds after the registration of the asset."""
    return event(
        "RightGranted",
        after,
        by,
        **{
            "no": no,
            "kind": RIGHT_KINDS.index(kind),
            "exclusive": False,
            "sublicensable": False,
            "transferable": False,
            "grantee": grantee,
            "from": BORN + period[0],
            "to": BORN + period[1],
            "parent": 0,
            "scope": digest("scope"),
            **more,
        },
    )


def ended(after: int, by: int, no: int) -> HistoryEvent:
    return event("RightEnded", after, by, no=no, grounds=NOTHING)


def confirmed_asset() -> list[HistoryEvent]:
    """Return the events from the registration to the confirmation 40 seconds later."""
    return [
        registered(),
        advanced(10, "accepted"),
        advanced(20, "reviewed"),
        advanced(30, "noticed", BORN + 35),
        confirmed(40),
    ]


def whole_life() -> list[HistoryEvent]:
    """Return a history that has every kind of event at least once, in an order that the contract allows."""
    offered = {"to": FIRM, "deadline": BORN + 400}
    lien = {"lien": 0, "creditor": BANK, "rank": 1, "sole": True, "terms": digest("terms")}
    decided = [
        event(
            "ObjectionDecided", 63 + place, REGISTRAR, no=1, state=OBJECTION_STATES.index(state), grounds=digest(state)
        )
        for place, state in enumerate(("admitted", "verified", "dismissed"))
    ]
    return [
        registered(),
        event("Linked", 5, PROVIDER, relation=RELATIONS.index("derived_from"), parent=PARENT),
        *confirmed_asset()[1:],
        event("Cleared", 50, COURT, report=digest("review")),
        event("Assessed", 55, BANK, kind=0, report=digest("quality"), validTo=VALID_TO),
        event("Objected", 60, BANK, no=1, toApplication=False, grounds=digest("ours")),
        *decided,
        granted(70, PROVIDER, 1, "process", BANK, (80, 500), exclusive=True, sublicensable=True, transferable=True),
        event("RightTransferred", 90, BANK, no=1, **{"from": BANK, "to": FIRM}),
        ended(95, FIRM, 1),
        event("Pledged", 100, PROVIDER, **lien),
        event("LienConsented", 110, BANK, lien=0, to=FIRM),
        event("TransferOffered", 120, PROVIDER, **offered),
        event("TransferRejected", 130, FIRM, to=FIRM),
        event("TransferOffered", 140, PROVIDER, **offered),
        event("TransferWithdrawn", 150, PROVIDER, to=FIRM),
        event("TransferOffered", 160, PROVIDER, **offered),
        event("TransferAccepted", 170, FIRM, **{"from": PROVIDER, "to": FIRM}),
        event("LienReleased", 180, BANK, lien=0),
        filed(190, FIRM, "change", "wrong"),
        advanced(200, "accepted"),
        event("Rejected", 210, REGISTRAR, kind=APPLICATION_KINDS.index("change"), grounds=digest("no basis")),
        filed(220, FIRM, "correct", "corrected"),
        advanced(230, "accepted"),
        advanced(240, "reviewed"),
        confirmed(250, "correct"),
        event("Frozen", 260, COURT, reason=REASONS.index("court")),
        event("Unfrozen", 270, COURT, reason=REASONS.index("lifted")),
        event("Replaced", 280, FIRM, successor=SUCCESSOR),
        event("TransferOffered", 282, FIRM, to=PROVIDER, deadline=BORN + 300),
        event("Reassigned", 285, COURT, **{"from": FIRM, "to": BANK}, grounds=digest("every key is lost")),
        event("Annulled", 290, COURT, reason=REASONS.index("fraud"), grounds=digest("forged")),
    ]


def recorded(events: list[HistoryEvent]) -> RecordedHistory:
    """Return these events as a recorded history: with transactions, parties, and the head of the events' hash chain."""
    start = genesis("0a" * 32, 1337, "0x" + "aa" * 20, ASSET)
    roles = {PROVIDER: "provider", REGISTRAR: "registrar", BANK: "assessor", FIRM: "consumer", COURT: "authority"}
    return RecordedHistory(
        asset=ASSET,
        events=tuple(
            RecordedEvent(each, digest(f"transaction {place}"), 100 + place) for place, each in enumerate(events)
        ),
        parties={number: RecordedParty(digest(f"party {number}"), (role,)) for number, role in roles.items()},
        certificates=(),
        genesis=start.hex(),
        head=verify_history(events, start, start).head.hex(),
        block=1000,
    )


def recorded_life() -> RecordedHistory:
    """Return the history of ``whole_life``, with the certificates of its two holders."""
    history = recorded(whole_life())
    issuer, content = digest("platform"), digest("content")
    first, second = "DAC-440802-2026-S00-00000001-1", "DAC-440802-2026-S00-00000002-2"
    holders = [history.parties[number].id for number in (PROVIDER, FIRM)]
    certificates = (
        RecordedCertificate(first, digest("leaf 1"), issuer, holders[0], content, BORN + 41, None),
        RecordedCertificate(second, digest("leaf 2"), issuer, holders[1], content, BORN + 171, first),
    )
    return replace(history, certificates=certificates)
