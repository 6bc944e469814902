"""Histories with the proof that nothing is missing: events, and the head that only all of them fold to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.certificates.presentations import counter_of, genuine, place_of
from ledger.certificates.tables import Certificate, Disclosure, Presentation
from ledger.chain.contracts.names import names_of_roles
from ledger.chain.reading.reader import ChainReader
from ledger.domain.assets.events import names_in, parties_in
from ledger.domain.assets.lineage import LineageGraph
from ledger.domain.digests import hex_of
from ledger.domain.reasons import reason_name
from ledger.errors import ChainUnavailable, Conflict
from ledger.index.follower import Follower
from ledger.index.lineage import lineage_of
from ledger.index.tables import EVENTS, PARTIES
from ledger.log.positions import not_anchored_yet
from ledger.proof.assets.history import view_at
from ledger.proof.assets.recorded_history import RecordedCertificate, RecordedEvent, RecordedHistory, RecordedParty
from ledger.proof.assets.view import AssetView
from ledger.proof.bundle import Position
from ledger.proof.head import genesis
from ledger.proof.history import HistoryEvent, verify_history
from ledger.provenance.lineage_picture import lineage_picture
from ledger.provenance.prov import prov_document
from ledger.provenance.timeline import timeline_picture
from ledger.registration.tables import Registration
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord

LEAVES_PER_WORD: Final = 128


@dataclass(frozen=True, slots=True)
class Completeness:
    """A history's proof: whoever folds ``events`` from ``genesis`` must reach the head that the chain shows."""

    contract: str
    scope: str | None
    genesis: str
    head: str
    block: int
    events: int
    complete: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "contract": self.contract,
            "scope": self.scope,
            "genesis": self.genesis,
            "head": self.head,
            "block": self.block,
            "events": self.events,
            "complete": self.complete,
        }


@dataclass(frozen=True, slots=True)
class Provenance:
    """What happened, in order, by whom and why, with its completeness."""

    events: tuple[dict[str, Any], ...]
    completeness: Completeness

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"events": list(self.events), "completeness": self.completeness.to_dict()}


class Provenances:
    """Reads histories from the index and proves them against the chain's heads."""

    def __init__(self, database: Database, reader: ChainReader, follower: Follower) -> None:
        self._database = database
        self._reader = reader
        self._follower = follower

    def asset(self, identifier: str) -> Provenance:
        """Every event of an asset since its registration; raises ``Conflict`` ``ASSET_NOT_ON_CHAIN``."""
        block, rows = self._asset_rows(identifier)
        return self._prove("AssetRegistry", identifier, rows, rows, block)

    def at(self, identifier: str, time: int) -> AssetView:
        """An asset as it was at a time: who held it, and who had which right.

        This and the exports below rest on the whole history: raises ``ChainUnavailable`` ``HISTORY_INCOMPLETE``.
        """
        return view_at(self._recorded(identifier).facts, time)

    def prov(self, identifier: str) -> dict[str, Any]:
        """An asset's history as W3C PROV in JSON-LD."""
        return prov_document(self._recorded(identifier))

    def timeline(self, identifier: str) -> str:
        """An asset's history as a picture (SVG)."""
        return timeline_picture(self._recorded(identifier))

    def lineage(self, identifier: str) -> LineageGraph:
        """What an asset comes from and what comes of it; raises ``Conflict`` ``ASSET_NOT_ON_CHAIN``."""
        self._follower.sync()
        with self._database.engine.connect() as connection:
            found = lineage_of(connection, identifier)
        if found is None:
            raise _not_on_chain(identifier)
        with self._database.read() as session:
            query = select(Registration.asset_id, Registration.reg_no).where(
                Registration.asset_id.in_([node.asset for node in found.nodes])
            )
            numbers = {row.asset_id: row.reg_no for row in session.execute(query)}
        nodes = (replace(node, label=numbers.get(node.asset, node.label)) for node in found.nodes)
        return replace(found, nodes=tuple(nodes))

    def lineage_svg(self, identifier: str) -> str:
        """An asset's lineage as a picture (SVG)."""
        return lineage_picture(self.lineage(identifier))

    def certificate(self, number: str) -> Provenance:
        """Issue, anchor, status changes, uses, holds and erasure of a certificate; holds and withdrawals of what it
        rests on (``names.entry`` says of what); proven by the head of the whole log.

        Of one that was issued elsewhere and verified here, neither its issue nor what it rests on.
        """
        block = self._follower.sync().block_number
        with self._database.read() as session:
            where, counter = place_of(session, number), counter_of(session, number)
            row = session.get(Certificate, number)
            basis = [] if row is None else _basis(session, row)
            seen, recorded = _seen_here(session, number, row), _withdrawn_here(session, basis)
        if where is None:
            raise not_anchored_yet()
        consumer, request = ("", "") if counter is None else counter
        concern = _Concern(
            place=where,
            request=request,
            consumer=self._reader.party_no(consumer) if consumer else 0,
            entries={each.digest: each.type for each in basis},
            withdrawing={(self._reader.party_no(each.party), each.digest) for each in basis if each.party},
        )
        rows = self._rows("CertificateLog", "")
        mine = [event for event in rows if concern.has(event)]
        proven = self._prove("CertificateLog", None, rows, mine, block)
        chain = [event | {"names": event["names"] | concern.named(event)} for event in proven.events]
        on_chain = {event["args"]["statement"] for event in chain if event["name"] == "Withdrawn"}
        alone = [event for event in recorded if event["args"]["statement"] not in on_chain]
        events = [*seen, *chain, *alone]
        return Provenance(tuple(sorted(events, key=lambda event: int(event["at"]))), proven.completeness)

    def log(self) -> Completeness:
        """Completeness of the certificate log as a whole."""
        block = self._follower.sync().block_number
        rows = self._rows("CertificateLog", "")
        return self._prove("CertificateLog", None, rows, (), block).completeness

    def _asset_rows(self, identifier: str) -> tuple[int, list[Mapping[str, Any]]]:
        """The block that the index has reached, and the asset's events up to it."""
        block = self._follower.sync().block_number
        rows = self._rows("AssetRegistry", identifier)
        if not rows:
            raise _not_on_chain(identifier)
        return block, rows

    def _recorded(self, identifier: str) -> RecordedHistory:
        block, rows = self._asset_rows(identifier)
        proof = self._prove("AssetRegistry", identifier, rows, (), block).completeness
        if not proof.complete:
            raise ChainUnavailable(
                "HISTORY_INCOMPLETE",
                "The indexed events of this asset do not add up to its head on the chain.",
                where=identifier,
                hint="Rebuild the index with `pingzheng index rebuild`; if that does not help, follow another node.",
            )
        events = tuple(RecordedEvent(_told("AssetRegistry", row), row["tx_hash"], row["block_number"]) for row in rows)
        return RecordedHistory(
            asset=identifier,
            events=events,
            parties=self._parties_of(events),
            certificates=self._certificates_of(identifier),
            genesis=proof.genesis,
            head=proof.head,
            block=block,
        )

    def _parties_of(self, events: Sequence[RecordedEvent]) -> dict[int, RecordedParty]:
        numbers = {event.by for event in events}
        numbers |= {number for event in events for number in parties_in(event.name, event.args).values()}
        query = select(PARTIES.c.no, PARTIES.c.id, PARTIES.c.roles).where(PARTIES.c.no.in_(sorted(numbers)))
        with self._database.engine.connect() as connection:
            return {row.no: RecordedParty(row.id, names_of_roles(row.roles)) for row in connection.execute(query)}

    def _certificates_of(self, identifier: str) -> tuple[RecordedCertificate, ...]:
        query = select(Certificate).where(Certificate.asset_id == identifier)
        with self._database.read() as session:
            rows = list(session.scalars(query.order_by(Certificate.created_at, Certificate.certificate_no)))
            entries = log_store.entries_by_digest(session, [row.digest for row in rows])
            bodies = [json.loads(entries[row.digest].body) for row in rows]
        return tuple(
            RecordedCertificate(
                number=row.certificate_no,
                leaf=entries[row.digest].leaf,
                issuer=row.issuer,
                holder=row.subject,
                content=hex_of(body["resource"]["document_digest"]),
                issued_at=body["iat"],
                supersedes=row.supersedes,
            )
            for row, body in zip(rows, bodies, strict=True)
        )

    def _rows(self, contract: str, scope: str) -> list[Mapping[str, Any]]:
        query = (
            select(EVENTS)
            .where(EVENTS.c.contract == contract, EVENTS.c.scope == scope)
            .order_by(EVENTS.c.block_number, EVENTS.c.log_index)
        )
        with self._database.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _prove(
        self,
        contract: str,
        scope: str | None,
        rows: Sequence[Mapping[str, Any]],
        shown: Sequence[Mapping[str, Any]],
        block: int,
    ) -> Provenance:
        deployment = self._reader.deployment
        head = self._reader.head(contract, scope, block=block)
        start = genesis(deployment.origin, deployment.chain_id, deployment.addresses[contract], scope)
        told = [_told(contract, row) for row in rows]
        completeness = Completeness(
            contract=contract,
            scope=scope,
            genesis=start.hex(),
            head=head,
            block=block,
            events=len(rows),
            complete=verify_history(told, bytes.fromhex(head), start).complete,
        )
        return Provenance(tuple(self._readable(row) for row in shown), completeness)

    def _readable(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """With ``args`` as they go into the head, and in ``names`` what their numbers stand for."""
        name, args = row["name"], row["args"]
        names: dict[str, str] = {"reason": reason_name(args["reason"])} if "reason" in args else {}
        if row["contract"] == "AssetRegistry":
            names |= names_in(name, args)
            names |= {field: self._reader.party_id(number) for field, number in parties_in(name, args).items()}
        return {
            "name": name,
            "at": row["at"],
            "by": self._reader.party_id(row["by"]),
            "tx": row["tx_hash"],
            "block": row["block_number"],
            "args": dict(args),
            "names": names,
        }


@dataclass(frozen=True, slots=True)
class _Basis:
    """A statement that a certificate is or rests on; ``party`` is who can withdraw it, None where nobody can."""

    digest: str
    type: str
    party: str | None


@dataclass(frozen=True, slots=True)
class _Concern:
    """What events of the log's contract are about a certificate.

    ``consumer`` is a party number, ``request`` a statement digest; ``entries`` gives the type of each statement,
    ``withdrawing`` who can withdraw which: a stranger's withdrawal ends nothing, nor does one of a provider by a key
    that was reported.
    """

    place: Position
    request: str
    consumer: int
    entries: Mapping[str, str]
    withdrawing: Set[tuple[int, str]]

    def has(self, event: Mapping[str, Any]) -> bool:
        """Whether the event is about the certificate or about what it rests on."""
        args = event["args"]
        match event["name"]:
            case "Used":
                return (args["consumer"], args["request"]) == (self.consumer, self.request)
            case "Withdrawn":
                by_its_party = (args["party"], args["statement"]) in self.withdrawing
                return by_its_party and (not args["reported"] or self.entries[args["statement"]] == "authorization")
            case "Held":
                return args["statement"] in self.entries
        return _touches(event, self.place)

    def named(self, event: Mapping[str, Any]) -> dict[str, str]:
        """The type of the statement that an event is about, unless it is the certificate's own."""
        kind = self.entries.get(event["args"].get("statement", ""), "certificate")
        return {} if kind == "certificate" else {"entry": kind}


def _basis(session: Session, row: Certificate) -> list[_Basis]:
    if row.request_id is None:
        return [_Basis(row.digest, "certificate", None)]
    stated = log_store.statement(session, row.digest)
    wanted = [hex_of(named) for named in (*stated["authorizations"], *stated["provisions"])]
    found = log_store.entries_by_digest(session, wanted).values()
    entries = [(entry.digest, json.loads(entry.body)) for entry in found]
    return [
        _Basis(row.digest, "certificate", None),
        _Basis(hex_of(stated["request"]), "request", None),
        *(
            _Basis(digest, body["type"], body["subject" if body["type"] == "authorization" else "provider"])
            for digest, body in entries
        ),
    ]


def _withdrawn_here(session: Session, basis: Sequence[_Basis]) -> list[dict[str, Any]]:
    """Withdrawals by their entries: those of keys that the chain cannot check stand nowhere else."""
    kinds = {each.digest: each.type for each in basis}
    entries = [(row, json.loads(row.body)) for row in log_store.withdrawals_of(session, kinds)]
    return [
        {
            "name": "Withdrawn",
            "at": row.created_at,
            "by": body["party"],
            "args": {"statement": row.about},
            "names": {"entry": kinds[str(row.about)], "reason": body["reason"]},
        }
        for row, body in entries
    ]


def _seen_here(session: Session, number: str, row: Certificate | None) -> list[dict[str, Any]]:
    """What the chain does not have of a certificate: issue, verifications, disclosures for a case, erasure."""
    stated = None if row is None else log_store.statement(session, row.digest)
    presented = session.scalars(
        select(Presentation).where(Presentation.certificate_no == number, genuine()).order_by(Presentation.id)
    )
    opened = session.scalars(select(Disclosure).where(Disclosure.certificate_no == number).order_by(Disclosure.id))
    erased = session.scalars(select(ErasureRecord).where(ErasureRecord.target == (row.digest if row else None)))
    args = {"certificate_no": number}
    issued = [] if stated is None else [{"name": "Issued", "at": stated["iat"], "by": stated["iss"], "args": args}]
    return [
        *issued,
        *(
            {"name": "Verified", "at": item.created_at, "by": item.consumer, "args": {"result": item.result}}
            for item in presented
        ),
        *({"name": "Disclosed", "at": item.created_at, "by": item.by, "args": {"case": item.case}} for item in opened),
        *({"name": "Erased", "at": item.created_at, "by": item.by, "args": {"reason": item.reason}} for item in erased),
    ]


def _told(contract: str, row: Mapping[str, Any]) -> HistoryEvent:
    return HistoryEvent(f"{contract}.{row['name']}", row["args"])


def _not_on_chain(identifier: str) -> Conflict:
    return Conflict("ASSET_NOT_ON_CHAIN", "The chain has no event of this asset.", where=identifier)


def _touches(event: Mapping[str, Any], where: Position) -> bool:
    args = event["args"]
    if (args.get("issuer"), args.get("batch")) != (where.issuer, where.batch):
        return False
    if event["name"] == "StatusChanged":
        word, bit = divmod(where.index, LEAVES_PER_WORD)
        return args["word"] == word and bool(int(str(args["mask"]), 0) >> bit & 1)
    return bool(event["name"] == "Anchored" or args.get("index") == where.index)
