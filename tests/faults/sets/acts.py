"""Acts on the sets of ``prepared_sets``, and how far an act has come. The ledger does an act part by part; here the
parts are so small that each set has several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, select

from ledger.certificates.status import ended_certificates
from ledger.certificates.tables import Certificate, OperationItem
from ledger.domain.codes import synthetic_uscc
from ledger.domain.digests import hex_of
from ledger.domain.parties import PartyKind, Role
from ledger.index.tables import ASSETS, PARTIES
from ledger.installation.wiring import Ledger
from ledger.parties.newcomers import NewParty
from ledger.parties.roles import Actor
from ledger.registration.tables import Application, Registration
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.tables import Batch, Entry
from ledger.usage.tables import Authorization
from tests.faults.sets.prepared_sets import record
from tests.support.actors.pilots import resource

SIZES: Final = {
    "ledger.parties.party_lists.MAX_PARTIES": 2,
    "ledger.registration.certificates.SETTLED_TOGETHER": 1,
    "ledger.registration.registrations.REGISTERED_TOGETHER": 2,
    "ledger.registration.registrations.SUBMITTED_TOGETHER": 2,
    "ledger.registration.review.REVIEWED_TOGETHER": 2,
    "ledger.store.scrubbing.PAGES_AT_ONCE": 1,
    "ledger.usage.batches.batches.PART": 2,
    "ledger.usage.batches.runner.PART": 2,
}
STAGES: Final = {"accept": "accepted", "review": "reviewed", "notice": "noticed", "confirm": "", "change": ""}
Report = Callable[[str], None]


@dataclass(frozen=True)
class SetOfAct:
    """One set (``items``) for one act, while the ledger is open. ``report`` takes what is acknowledged during the act.

    ``given`` are all prepared sets.
    """

    ledger: Ledger
    given: dict[str, Any]
    act: str
    items: Any
    report: Report

    def do(self) -> list[str]:
        """Do the act on the whole set, and return the names of its results."""
        own: dict[str, Callable[[], list[str]]] = {
            "corrections": lambda: record(self.ledger, "provisions", self.items),
            "anchor": self._anchor,
            "batches": self._handle,
            "onboard": self._onboard,
            "register": self._register,
            "accept": lambda: self._reviewed("accept"),
            "review": lambda: self._reviewed("review"),
            "notice": self._notice,
            "confirm": lambda: self._reviewed("confirm"),
            "change": lambda: self._reviewed("confirm"),
            "revoke": self._revoke,
            "erase": self._erase,
        }
        return own.get(self.act, lambda: record(self.ledger, self.act, self.items))()

    def _anchor(self) -> list[str]:
        numbers = record(self.ledger, "certificates", self.items)
        self.ledger.anchoring.flush()
        return numbers

    def _handle(self) -> list[str]:
        """Handle the batches of statements that ``prepared_sets`` took in."""
        for identifier in self.items.values():
            self.ledger.usage.batches.change(identifier, stage="working")
        while self.ledger.usage.batch_runner.step():
            pass
        return self._handled()

    def _handled(self) -> list[str]:
        mine = OperationItem.operation_id.in_(self.items.values())
        query = select(OperationItem.outcome, OperationItem.records).where(mine, OperationItem.outcome.is_not(None))
        with self.ledger.database.read() as session:
            rows = session.execute(query.order_by(OperationItem.operation_id, OperationItem.number))
            return [f"{outcome} {' '.join(records or ())}" for outcome, records in rows]

    def _onboard(self) -> list[str]:
        known = self.ledger.parties.onboarding.onboard(self.ledger.authority, self._newcomers())
        return [f"{each.id} {each.no}" for each in known]

    def _register(self) -> list[str]:
        provider, registrations = self.ledger.actor(self.given["provider"]), self.ledger.registration.registrations
        intake = registrations.apply(provider, [resource(code) for code in self.items], progress=self._progress)
        return list(intake.accepted)

    def _reviewed(self, step: str) -> list[str]:
        registrar = self.ledger.actor(self.given["registrar"])
        getattr(self.ledger.registration.review, step)(registrar, self.items, self._progress)
        return [*self._at_stage(), *self._certificates()]

    def _notice(self) -> list[str]:
        """Begin the public notices; the database must name the same end of each notice as the chain."""
        found = self._reviewed("notice")
        query = select(Application.asset_id, Application.notice_to).where(Application.asset_id.in_(self.items))
        with self.ledger.database.read() as session:
            stored = {row.asset_id: row.notice_to for row in session.execute(query)}
        assert stored == {each.id: each.until for each in self.ledger.reader.assets(self.items) if each is not None}
        return found

    def _revoke(self) -> list[str]:
        refused = list[str]()
        for portion in self.ledger.usage.revocations.revoke(self.items, "data_error"):
            self._progress(sum(each.outcome == "revoked" for each in portion.answers))
            refused += [str(each.code) for each in portion.answers if each.outcome == "not_revoked"]
        return refused or self._ended()

    def _erase(self) -> list[str]:
        """Erase the texts of certificates, then remove their remains from the files."""
        authority = Actor(self.ledger.installation.authority_party, frozenset({Role.AUTHORITY, Role.ADMIN}))
        erased = [self.ledger.erasure.certificate(authority, number, "court") for number in self.items]
        for each in erased:
            self.report(f"gone {' '.join(value.hex() for value in each.remains)}")
        assert all(self.ledger.database.scrub(each.remains) for each in erased)
        return [f"{number} {each.seq}" for each in erased for number in each.certificates]

    def done(self) -> Any:
        """Return how many items have the act's effect. If an act has several effects (such as rows in the database and
        a state on the chain), return a count for each effect.
        """
        self.ledger.follower.sync()
        counts: dict[str, Callable[[], Any]] = {
            "anchor": self._anchored,
            "batches": lambda: len(self._handled()),
            "onboard": self._onboarded,
            "register": self._registered,
            "accept": lambda: len(self._at_stage()),
            "review": lambda: len(self._at_stage()),
            "notice": lambda: len(self._at_stage()),
            "confirm": lambda: (len(self._certificates()), len(self._at_stage())),
            "change": lambda: (len(self._certificates()), len(self._at_stage()), len(self._ended())),
            "revoke": lambda: len(self._ended()),
            "withdrawals": self._withdrawn,
            "erase": self._erased,
        }
        return counts.get(self.act, lambda: len(self.results()))()

    def results(self) -> list[str]:
        """Return the names of results that exist already; a repeated call must return them again."""
        kind = {"corrections": "provisions", "anchor": "certificates"}.get(self.act, self.act)
        if self.act == "batches":
            return self._handled()
        if self.act in STAGES:
            return [*self._at_stage(), *self._certificates()]
        if kind not in self.ledger.usage.batches.kinds:
            return []
        with self.ledger.database.read() as session:
            found = self.ledger.usage.batches.kinds[kind].recorded(session, self.items)
        return [identifier for each in found for identifier in each or ()]

    def _anchored(self) -> tuple[int, int]:
        mine = Certificate.request_id.in_([each["request"] for each in self.items])
        query = select(Batch).join(Entry, Entry.batch == Batch.number)
        with self.ledger.database.read() as session:
            rows = list(session.scalars(query.join(Certificate, Certificate.digest == Entry.digest).where(mine)))
        on_chain = self.ledger.reader.batch_count(self.ledger.installation.issuer)
        return sum(row.state == "anchored" for row in rows), sum(row.number < on_chain for row in rows)

    def _withdrawn(self) -> int:
        digests = [hex_of(each["statement"]["statement"]) for each in self.items]
        mine = Authorization.digest.in_(digests), Authorization.state == "withdrawn"
        return len(self._rows(select(Authorization.id).where(*mine)))

    def _onboarded(self) -> tuple[int, int]:
        found = self.ledger.parties.register.found(each.identifier for each in self._newcomers())
        ids = [each.id for each in found.values()]
        return len(ids), len(self._rows(select(PARTIES.c.id).where(PARTIES.c.id.in_(ids))))

    def _registered(self) -> tuple[int, int]:
        mine = self._rows(select(Registration.asset_id).where(Registration.resource_code.in_(self.items)))
        return len(mine), len(self._rows(select(ASSETS.c.id).where(ASSETS.c.id.in_(mine))))

    def _erased(self) -> int:
        mine = select(Certificate.digest).where(Certificate.certificate_no.in_(self.items))
        return len(self._rows(select(ErasureRecord.target).where(ErasureRecord.target.in_(mine))))

    def _at_stage(self) -> list[str]:
        at = ASSETS.c.id.in_(self.items), ASSETS.c.stage == STAGES[self.act]
        self.ledger.follower.sync()
        return self._rows(select(ASSETS.c.id).where(*at).order_by(ASSETS.c.id))

    def _certificates(self) -> list[str]:
        mine = Certificate.asset_id.in_(self.items)
        return self._rows(select(Certificate.certificate_no).where(mine).order_by(Certificate.certificate_no))

    def _ended(self) -> list[str]:
        """Return the certificates that are revoked or superseded."""
        self.ledger.follower.sync()
        mine = Certificate.certificate_no.in_(self.items) | Certificate.asset_id.in_(self.items)
        return self._rows(select(Certificate.certificate_no).where(mine, Certificate.digest.in_(ended_certificates())))

    def _rows(self, query: Select[Any]) -> list[str]:
        with self.ledger.database.read() as session:
            return list(session.scalars(query))

    def _newcomers(self) -> list[NewParty]:
        return [
            NewParty(PartyKind.ENTERPRISE, f"某公司{place}", synthetic_uscc("440881", 7_000 + place), "440881", key)
            for place, key in self.items
        ]

    def _progress(self, count: int) -> None:
        self.report(f"done {count}")
