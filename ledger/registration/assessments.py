"""Quality reports and valuations by accredited third parties; their digests are recorded on the chain."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from ledger.chain.sending.asset_calls import assess
from ledger.chain.sending.sender import Receipt
from ledger.domain.canonical import parse_json
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.index.tables import EVENTS
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.registration.act_documents import MAX_DOCUMENT_BYTES
from ledger.registration.lookups import registration
from ledger.registration.reports import QualityReport, Valuation, check_quality, check_valuation
from ledger.registration.use_case import UseCase

KINDS = ("quality", "valuation")


class Assessments(UseCase):
    """Records reports. The contract requires that the assessor is accredited and does not hold the asset."""

    def quality(self, actor: Actor, asset: str, report: QualityReport, last_day: date) -> Receipt:
        """Record the digest of a quality report, valid up to and including ``last_day`` (Asia/Shanghai)."""
        require(actor, Action.ASSESS)
        document = check_quality(report).to_dict()
        return self._commit(actor, asset, "quality", document, last_day)

    def valuation(self, actor: Actor, asset: str, valuation: Valuation, last_day: date) -> Receipt:
        """Record the digest of a valuation, valid up to and including ``last_day`` (Asia/Shanghai)."""
        require(actor, Action.ASSESS)
        document = check_valuation(valuation, shanghai_day(self._clock())).to_dict()
        return self._commit(actor, asset, "valuation", document, last_day)

    def _commit(self, actor: Actor, asset: str, kind: str, document: dict[str, Any], last_day: date) -> Receipt:
        with self._documents.kept(asset, kind, actor.party, document) as digest:
            return self._acting.act_by(actor, assess(asset, kind, digest, end_of_validity(last_day)))

    def of(self, asset: str) -> list[dict[str, Any]]:
        """Return the reports on an asset with their stored content, in the order in which the chain recorded them."""
        with self._database.read() as session:
            registration(session, asset)
        self._follower.sync()
        columns = EVENTS.c
        query = (
            select(EVENTS)
            .where(columns.contract == "AssetRegistry", columns.scope == asset, columns.name == "Assessed")
            .order_by(columns.block_number, columns.log_index)
        )
        with self._database.read() as session:
            rows = [dict(row) for row in session.execute(query).mappings()]
        return [self._shown(row) for row in rows]

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        args = row["args"]
        text = self._documents.read(args["report"])["text"]
        document = parse_json(str(text).encode(), max_bytes=MAX_DOCUMENT_BYTES)
        return {
            "kind": KINDS[args["kind"]],
            "assessor": self._reader.party_id(row["by"]),
            "digest": args["report"],
            "valid_to": args["validTo"],
            "at": row["at"],
            "report": document["document"] if isinstance(document, dict) else None,
        }
