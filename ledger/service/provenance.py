"""Histories with the proof that nothing is missing: events, and the head that only all of them fold to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ledger.chain.reader import ChainReader
from ledger.domain.reasons import reason_name
from ledger.errors import Conflict
from ledger.index.follower import Follower
from ledger.index.tables import EVENTS
from ledger.proof.head import genesis
from ledger.proof.history import HistoryEvent, verify_history
from ledger.service.positions import position
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.records import certificate
from ledger.store.tables import Presentation


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
        """Every event of an asset since its registration."""
        self._follower.sync()
        rows = self._rows("AssetRegistry", identifier)
        if not rows:
            raise Conflict("ASSET_NOT_ON_CHAIN", "The chain has no event of this asset.", where=identifier)
        return self._prove("AssetRegistry", identifier, rows, rows)

    def certificate(self, number: str) -> Provenance:
        """Issue, anchor, status changes and uses of a certificate; proven by the head of the whole log."""
        self._follower.sync()
        with self._database.read() as session:
            row = certificate(session, number)
            where = position(session, row.leaf)
            body = log_store.statement(session, row.leaf)
            presented = list(
                session.scalars(
                    select(Presentation).where(Presentation.certificate_no == number).order_by(Presentation.id)
                )
            )
        rows = self._rows("CertificateLog", "")
        mine = [event for event in rows if _touches(event, where.batch, where.index)]
        proven = self._prove("CertificateLog", None, rows, mine)
        issued = {"name": "Issued", "at": body["iat"], "by": body["iss"], "args": {"certificate_no": number}}
        seen = [
            {"name": "Verified", "at": item.created_at, "by": item.consumer, "args": {"result": item.result}}
            for item in presented
        ]
        told = sorted([issued, *proven.events, *seen], key=lambda event: int(event["at"]))
        return Provenance(tuple(told), proven.completeness)

    def log(self) -> Completeness:
        """Completeness of the certificate log as a whole."""
        self._follower.sync()
        rows = self._rows("CertificateLog", "")
        return self._prove("CertificateLog", None, rows, ()).completeness

    def _rows(self, contract: str, scope: str) -> list[Mapping[str, Any]]:
        query = (
            select(EVENTS)
            .where(EVENTS.c.contract == contract, EVENTS.c.scope == scope)
            .order_by(EVENTS.c.block_number, EVENTS.c.log_index)
        )
        with self._database.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _prove(
        self, contract: str, scope: str | None, rows: Sequence[Mapping[str, Any]], shown: Sequence[Mapping[str, Any]]
    ) -> Provenance:
        deployment = self._reader.deployment
        block = self._reader.block_number()
        head = self._reader.head(contract, scope, block=block)
        start = genesis(deployment.chain_id, deployment.addresses[contract], scope)
        told = [HistoryEvent(f"{contract}.{row['name']}", row["args"]) for row in rows]
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
        args = dict(row["args"])
        if "reason" in args:
            args["reason"] = reason_name(args["reason"])
        return {
            "name": row["name"],
            "at": row["at"],
            "by": self._reader.party_id(row["by"]),
            "tx": row["tx_hash"],
            "block": row["block_number"],
            "args": args,
        }


def _touches(event: Mapping[str, Any], batch: int, index: int) -> bool:
    args = event["args"]
    if args["batch"] != batch:
        return False
    if event["name"] == "StatusChanged":
        return args["word"] == index // 128 and bool(int(str(args["mask"]), 0) >> (index % 128) & 1)
    return bool(event["name"] == "Anchored" or args.get("index") == index)
