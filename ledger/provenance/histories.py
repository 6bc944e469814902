"""Histories of assets, certificates and the log, each with a proof that no event is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from ledger.certificates.lookups import statements_of
from ledger.certificates.tables import Certificate
from ledger.certificates.verification.seen_certificates import counter_of, place_of
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
from ledger.proof.head import genesis
from ledger.proof.history import HistoryEvent, verify_history
from ledger.provenance.certificate_events import Concern, seen_here, withdrawals_here
from ledger.provenance.completeness import Completeness, Provenance
from ledger.provenance.lineage_picture import lineage_picture
from ledger.provenance.prov import prov_document
from ledger.provenance.timeline import timeline_picture
from ledger.registration.tables import Registration
from ledger.store import log as log_store
from ledger.store.database import Database


class Provenances:
    """Reads histories from the index, and compares their heads (the hash over all events) with the heads on the
    chain."""

    def __init__(self, database: Database, reader: ChainReader, follower: Follower) -> None:
        self._database = database
        self._reader = reader
        self._follower = follower

    def asset(self, identifier: str) -> Provenance:
        """Return every event of an asset, with the proof; raises ``Conflict`` ``ASSET_NOT_ON_CHAIN``."""
        block, rows = self._asset_rows(identifier)
        return self._prove("AssetRegistry", identifier, rows, rows, block)

    def at(self, identifier: str, time: int) -> AssetView:
        """Return the state of an asset at a time (seconds UTC): its holder and the rights in the asset.

        Raises ``ChainUnavailable`` ``HISTORY_INCOMPLETE`` if an event is missing, as ``prov`` and ``timeline`` do.
        """
        return view_at(self._recorded(identifier).facts, time)

    def prov(self, identifier: str) -> dict[str, Any]:
        """Return an asset's history as W3C PROV in JSON-LD."""
        return prov_document(self._recorded(identifier))

    def timeline(self, identifier: str) -> str:
        """Draw an asset's history, and return the picture (SVG)."""
        return timeline_picture(self._recorded(identifier))

    def lineage(self, identifier: str) -> LineageGraph:
        """Return an asset's ancestors and descendants; raises ``Conflict`` ``ASSET_NOT_ON_CHAIN``."""
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
        """Draw an asset's lineage, and return the picture (SVG)."""
        return lineage_picture(self.lineage(identifier))

    def certificate(self, number: str) -> Provenance:
        """Return every event of a certificate: issue, anchor, status changes, uses, holds and erasure, and the holds
        and withdrawals of the statements on which the certificate rests (``names.entry`` is the statement's type). The
        head of the whole log is the proof.

        If the certificate was issued elsewhere, the events of its issue and of its statements are not known here.
        """
        block = self._follower.sync().block_number
        with self._database.read() as session:
            where, counter = place_of(session, number), counter_of(session, number)
            row = session.get(Certificate, number)
            statements = [] if row is None else statements_of(row.digest, log_store.statement(session, row.digest))
            seen, recorded = seen_here(session, number, row), withdrawals_here(session, statements)
        if where is None:
            raise not_anchored_yet()
        consumer, request = ("", "") if counter is None else counter
        concern = Concern(
            place=where,
            request=request,
            consumer=self._reader.party_no(consumer) if consumer else 0,
            entries={each.digest: each.type for each in statements},
            withdrawing={(self._reader.party_no(each.party), each.digest) for each in statements if each.party},
        )
        rows = self._rows("CertificateLog", "")
        mine = [event for event in rows if concern.has(event)]
        proven = self._prove("CertificateLog", None, rows, mine, block)
        chain = [event | {"names": event["names"] | concern.named(event)} for event in proven.events]
        on_chain = {event["args"]["statement"] for event in chain if event["name"] == "Withdrawn"}
        only_here = [event for event in recorded if event["args"]["statement"] not in on_chain]
        events = [*seen, *chain, *only_here]
        return Provenance(tuple(sorted(events, key=lambda event: int(event["at"]))), proven.completeness)

    def log(self) -> Completeness:
        """Return the proof that the index has every event of the certificate log."""
        block = self._follower.sync().block_number
        rows = self._rows("CertificateLog", "")
        return self._prove("CertificateLog", None, rows, (), block).completeness

    def _asset_rows(self, identifier: str) -> tuple[int, list[Mapping[str, Any]]]:
        """Return the newest block in the index, and the asset's events up to that block."""
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
                "The asset's events in the index do not match the asset's hash chain in the contract.",
                where=identifier,
                hint="Run `pingzheng index rebuild`; if that does not help, use another node.",
            )
        events = tuple(RecordedEvent(_event("AssetRegistry", row), row["tx_hash"], row["block_number"]) for row in rows)
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
        events = [_event(contract, row) for row in rows]
        completeness = Completeness(
            contract=contract,
            scope=scope,
            genesis=start.hex(),
            head=head,
            block=block,
            events=len(rows),
            complete=verify_history(events, bytes.fromhex(head), start).complete,
        )
        return Provenance(tuple(self._readable(row) for row in shown), completeness)

    def _readable(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return an event for readers: ``args`` are the hashed values, and ``names`` has names for the numbers in
        ``args``."""
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


def _event(contract: str, row: Mapping[str, Any]) -> HistoryEvent:
    return HistoryEvent(f"{contract}.{row['name']}", row["args"])


def _not_on_chain(identifier: str) -> Conflict:
    return Conflict("ASSET_NOT_ON_CHAIN", "The chain has no events of this asset.", where=identifier)
