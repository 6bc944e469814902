"""Review of applications by registrars: accept, review, put on public notice and confirm; or return, or reject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.chain.reading.contract_state import AssetRecord
from ledger.chain.sending import asset_calls
from ledger.chain.sending.sender import Receipt
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.domain.reasons import checked_grounds
from ledger.domain.working_days import end_of_working_days
from ledger.index.tables import ASSETS, EVENTS
from ledger.log.paused import saying_until_when
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.registration.act_documents import REFUSED
from ledger.registration.applications import near_duplicates
from ledger.registration.descriptions import applications
from ledger.registration.tables import Application
from ledger.registration.use_case import UseCase

Progress = Callable[[int], None]
# The chain stores the last second of a public notice, which is one second before the notice's end. The contract's
# minimum of n days is met all the same: the day on which the notice begins is not one of its n working days.
ONE_SECOND = 1
# After a confirmation a registration has one of these states.
CONFIRMED = ("confirmed", "cancelled")
# One transaction of the chain moves or confirms this many applications, or fewer if the chain's blocks are small. Each
# application takes about 16,000 gas; a transaction may have at most 16.7 million gas (EIP-7825).
REVIEWED_TOGETHER = 500


# After one of these events an application waits for the next step.
_MOVES = ("Registered", "Filed", "Advanced")


def _silent(_count: int) -> None:
    """Ignore the count: no progress is shown."""


class Review(UseCase):
    """The review steps of a registrar. An application that has passed a step is skipped, so each call can be
    repeated.
    """

    def accept(self, actor: Actor, asset_ids: Sequence[str], progress: Progress = _silent) -> int:
        """Accept applications for review, and return the gas used."""
        return self._advance(actor, asset_ids, "submitted", "accepted", progress)

    def review(self, actor: Actor, asset_ids: Sequence[str], progress: Progress = _silent) -> int:
        """Record that applications passed the review."""
        return self._advance(actor, asset_ids, "accepted", "reviewed", progress)

    def notice(self, actor: Actor, asset_ids: Sequence[str], progress: Progress = _silent) -> int:
        """Put reviewed applications on public notice for the ruleset's working days."""
        require(actor, Action.REVIEW_REGISTRATION)
        now = self._clock()
        until = end_of_working_days(now, self._rules.notice_days) - ONE_SECOND
        gas = 0
        for some in self._divided("advance", asset_ids, REVIEWED_TOGETHER):
            known = self._known(some)
            # Only applications in the stage "reviewed" get a public notice here. If an application is on public notice
            # already, the dates of this notice are on the chain and stay.
            self._record_notice([asset.id for asset in known if asset.stage == "reviewed"], now, until)
            gas += self._send(actor, _waiting(known, "reviewed", "noticed", len(asset_ids) == 1), "noticed", until)
            progress(len(some))
        return gas

    def _record_notice(self, asset_ids: Sequence[str], start: int, end: int) -> None:
        if not asset_ids:
            return
        with self._database.write() as session:
            mine = Application.asset_id.in_(asset_ids)
            last = select(Application.asset_id, func.max(Application.number)).where(mine).group_by(Application.asset_id)
            place = tuple_(Application.asset_id, Application.number)
            session.execute(update(Application).where(place.in_(last)).values(notice_from=start, notice_to=end))

    def _advance(self, actor: Actor, asset_ids: Sequence[str], source: str, stage: str, progress: Progress) -> int:
        """Move those applications that are in the stage ``source`` to ``stage``.

        If the first and the last application are in the stage ``source``, usually all of them are, so no application
        between them is read. If an application between them is in a different stage after all, the chain refuses the
        whole set: then all are read, and those in the stage ``source`` are sent again.
        """
        require(actor, Action.REVIEW_REGISTRATION)
        gas, alone = 0, len(asset_ids) == 1
        for some in self._divided("advance", asset_ids, REVIEWED_TOGETHER):
            ends = [asset.stage for asset in self._known([some[0], some[-1]])]
            waiting = some if ends == [source, source] else _waiting(self._known(some), source, stage, alone)
            try:
                gas += self._send(actor, waiting, stage)
            except REFUSED:
                left = _waiting(self._known(some), source, stage, alone)
                if len(left) >= len(waiting):
                    raise
                gas += self._send(actor, left, stage)
            progress(len(some))
        return gas

    def _send(self, actor: Actor, asset_ids: Sequence[str], stage: str, until: int = 0) -> int:
        if not asset_ids:
            return 0
        return self._acting.act_by(actor, asset_calls.advance(asset_ids, stage, until=until)).gas_used

    def give_back(self, actor: Actor, asset: str, reason: str) -> Receipt:
        """Return an application to its applicant for correction, with a reason."""
        require(actor, Action.REVIEW_REGISTRATION)
        with self._documents.kept(asset, "returned", actor.party, {"reason": checked_grounds(reason)}) as grounds:
            return self._acting.act_by(actor, asset_calls.advance([asset], "returned", grounds=grounds))

    def reject(self, actor: Actor, asset: str, reason: str) -> Receipt:
        """Reject an accepted or reviewed application, with a reason. A rejected first registration ends."""
        require(actor, Action.REVIEW_REGISTRATION)
        with self._documents.kept(asset, "rejected", actor.party, {"reason": checked_grounds(reason)}) as grounds:
            return self._acting.act_by(actor, asset_calls.reject(asset, grounds))

    def clear(self, actor: Actor, asset: str, report: str) -> Receipt:
        """Record the security review of important data; ``report`` is the digest of the review report,
        ``sha-256:…``.
        """
        require(actor, Action.CLEAR_IMPORTANT)
        with self._documents.kept(asset, "security_review", actor.party, {"report": report}) as kept:
            return self._acting.act_by(actor, asset_calls.clear(asset, kept))

    def confirm(self, actor: Actor, asset_ids: Sequence[str], progress: Progress = _silent) -> int:
        """Confirm applications and issue the registration certificates; returns the gas used.

        Raises ``Conflict`` ``PARTY_PAUSED`` during a pause.
        """
        require(actor, Action.REVIEW_REGISTRATION)
        gas = 0
        for some in self._divided("confirmMany", asset_ids, REVIEWED_TOGETHER):
            for valid_to, waiting in self._by_validity(some).items():
                call = asset_calls.confirm_assets(waiting, valid_to)
                with saying_until_when():
                    gas += self._acting.act_by(actor, call).gas_used
            self._certificates.settle(some)
            progress(len(some))
        return gas

    def _by_validity(self, asset_ids: Sequence[str]) -> dict[int, list[str]]:
        grouped: dict[int, list[str]] = {}
        for asset in self._known(asset_ids):
            if asset.stage is not None or asset.state not in CONFIRMED:
                grouped.setdefault(self._valid_to(asset), []).append(asset.id)
        return grouped

    def _valid_to(self, asset: AssetRecord) -> int:
        if asset.kind == "first":
            return _years_after(self._clock(), self._rules.validity_years)
        return _years_after(asset.valid_to - 1, self._rules.renewal_years) if asset.kind == "renew" else 0

    def waiting(self, stage: str) -> list[str]:
        """Return the ids of the assets whose pending application is at this stage."""
        self._follower.sync()
        query = select(ASSETS.c.id).where(ASSETS.c.stage == stage).order_by(ASSETS.c.id)
        with self._database.read() as session:
            return list(session.scalars(query))

    def queue(self, limit: int = 50, after: str | None = None, reader: Actor | None = None) -> list[dict[str, Any]]:
        """Return pending applications in the order of asset ids. Each has its stage, the start of the stage, the due
        time, and near duplicates.

        ``reader`` is None for the operator's own command line, which may see all.
        """
        if reader is not None:
            require(reader, Action.REVIEW_REGISTRATION, reads=True)
        self._follower.sync()
        query = select(ASSETS).where(ASSETS.c.stage != "").order_by(ASSETS.c.id).limit(limit)
        if after:
            query = query.where(ASSETS.c.id > after)
        with self._database.read() as session:
            rows = [dict(row) for row in session.execute(query).mappings()]
            assets = [row["id"] for row in rows]
            moved = _last_moves(session, assets)
            newest = [mine[-1] for mine in applications(session, assets).values() if mine]
            near = near_duplicates(session, newest if self._rules.near_duplicate == "report" else [])
        return [self._queued(row, moved[row["id"]], near.get(row["id"], [])) for row in rows]

    def _queued(self, row: dict[str, Any], since: int, near: list[str]) -> dict[str, Any]:
        days = {"returned": self._rules.fix_days, "noticed": 0}.get(row["stage"], self._rules.review_days)
        due = row["until"] + ONE_SECOND if row["stage"] == "noticed" else end_of_working_days(since, days)
        return {
            "asset": row["id"],
            "kind": row["kind"],
            "stage": row["stage"],
            "grade": row["grade"],
            "cleared": row["cleared"],
            "objections": row["objections"],
            "since": since,
            "due": due,
            "overdue": row["stage"] != "noticed" and self._clock() >= due,
            "near_duplicates": near,
        }

    def _known(self, asset_ids: Sequence[str]) -> list[AssetRecord]:
        return [asset for asset in self._reader.assets(asset_ids) if asset is not None]


def _waiting(known: Sequence[AssetRecord], source: str, stage: str, alone: bool) -> list[str]:
    """Return the ids of the assets whose applications can pass from the stage ``source`` to ``stage``.

    If one application is given (``alone``) and it is not in the stage ``source``, the caller made a mistake. The
    application is sent all the same, so that the contract refuses it and says why. If many applications are given, an
    application that is not in the stage ``source`` has passed this step in an earlier call, and is left out.
    """
    return [asset.id for asset in known if asset.stage == source or (alone and asset.stage != stage)]


def _last_moves(session: Session, assets: Sequence[str]) -> dict[str, int]:
    """Return for each asset id the time of its application's last step on the chain, in seconds UTC."""
    event = EVENTS.c
    query = (
        select(event.scope, func.max(event.at).label("at"))
        .where(event.contract == ASSET_REGISTRY, event.scope.in_(assets), event.name.in_(_MOVES))
        .group_by(event.scope)
    )
    return {row.scope: row.at for row in session.execute(query)}


def _years_after(at: int, years: int) -> int:
    """Return the end of the same calendar day ``years`` later in Shanghai, in seconds UTC (29 February becomes 28
    February).
    """
    day = shanghai_day(at)
    return end_of_validity(day.replace(year=day.year + years, day=min(day.day, 28) if day.month == 2 else day.day))
