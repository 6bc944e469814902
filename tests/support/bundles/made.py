"""A bundle with its facts (chain data), and methods that return changed copies of the bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import getitem
from typing import Any

from ledger.domain.digests import reference
from ledger.domain.entries import (
    statement_digest,
    withdrawal_entry,
)
from ledger.proof.bundle import Anchor, Bundle, Evidence, Position
from ledger.proof.facts import (
    Facts,
    HolderFact,
    HoldFact,
    StatusFact,
    UseFact,
    WithdrawalFact,
)
from ledger.proof.head import event_digest
from ledger.proof.jws import sign_entry
from ledger.proof.merkle import Tree, leaf_hash
from ledger.proof.report import Report
from ledger.proof.sdjwt import Disclosed, bind_key, compose, parse_certificate
from ledger.proof.verifier import Expectation, verify
from tests.support.bundles.cast import (
    ANCHORED,
    ASSET,
    AT,
    BANK,
    DEVICE,
    EXPECT,
    ISSUER,
    LEDGER,
    NONCE,
    Actor,
    Entry,
    as_text,
)


@dataclass(frozen=True)
class Made:
    """A bundle, its facts, the issuer's token and all disclosures."""

    bundle: Bundle
    facts: Facts
    token: str
    hidden: tuple[Disclosed, ...]

    def document(self) -> dict[str, Any]:
        """Return the bundle as a new JSON object that a test may change."""
        return json.loads(self.bundle.to_bytes())

    def presenting(
        self,
        *names: str,
        token: str | None = None,
        holder: Actor | None = DEVICE,
        audience: str = BANK.id,
        nonce: str = NONCE,
        at: int = AT,
    ) -> Made:
        """Return a presentation to the consumer that discloses these claims; ``key`` signs it unless it is None."""
        shown = compose(token or self.token, [item for item in self.hidden if item.name in names])
        if holder is not None:
            shown = bind_key(shown, holder.signer, audience=audience, nonce=nonce, at=at)
        return replace(self, bundle=self.bundle.with_certificate(shown))

    def knowing(self, **facts: Any) -> Made:
        """Return the same bundle with changed facts (chain data)."""
        return replace(self, facts=replace(self.facts, **facts))

    def account(self, actor: Actor, **changes: Any) -> Made:
        fact = replace(self.facts.accounts[actor.account], **changes)
        return self.knowing(accounts={**self.facts.accounts, actor.account: fact})

    def party(self, actor: Actor, **changes: Any) -> Made:
        fact = replace(self.facts.parties[actor.id], **changes)
        return self.knowing(parties={**self.facts.parties, actor.id: fact})

    def asset(self, **changes: Any) -> Made:
        return self.knowing(assets={ASSET: replace(self.facts.assets[ASSET], **changes)})

    def held(self, *holders: tuple[Actor, int]) -> Made:
        """Set the holders of the asset in the chain data, each with the time from which it held the asset."""
        return self.asset(holders=tuple(HolderFact(actor.id, since) for actor, since in holders))

    @property
    def claims(self) -> Entry:
        """The certificate's payload."""
        return parse_certificate(self.bundle.certificate).claims

    def statement(self, what: str) -> str:
        """Return the statement digest (64 hex digits) of the certificate or of the evidence: of the first entry of type
        ``what``.
        """
        entries = [self.claims, *(dict(item.statement) for item in self.bundle.evidence)]
        return statement_digest(next(entry for entry in entries if entry["type"] == what))

    def status(self, *history: tuple[str, str, int], of: Position | None = None) -> Made:
        """Set the status history of a log position (default: the certificate's position)."""
        changes = tuple(StatusFact(status, reason, at) for status, reason, at in history)
        return self.knowing(status={**self.facts.status, of or self.bundle.position: changes})

    def on_hold(self, *history: tuple[tuple[str, ...], str, int], of: str = "certificate") -> Made:
        """Set the history of holds on a statement. For each change: the roles that have a hold on the statement from
        then on, the reason, the time.
        """
        changes = tuple(HoldFact(offices, reason, at, 9) for offices, reason, at in history)
        return self.knowing(holds={**self.facts.holds, self.statement(of): changes})

    def used(self, *times: int, by: Actor = BANK) -> Made:
        uses = tuple(UseFact(number, at) for number, at in enumerate(times, 1))
        return self.knowing(uses={**self.facts.uses, (by.id, self.statement("request")): uses})

    def withdrawn(
        self, *withdrawals: tuple[Actor, int], of: str = "authorization", by_reported_key: bool = False
    ) -> Made:
        """Add withdrawals of a statement to the chain data, each with the withdrawing party and the time."""
        known, time = dict(self.facts.withdrawals), "reported_at" if by_reported_key else "at"
        for actor, at in withdrawals:
            key = (actor.id, self.statement(of))
            known[key] = replace(known.get(key, WithdrawalFact(0, 0)), **{time: at})
        return self.knowing(withdrawals=known)

    def withdrawing(
        self, actor: Actor, at: int, *, of: str = "authorization", key: Actor | None = None, **members: Any
    ) -> Made:
        """Add a signed ``withdrawal`` entry to the evidence, anchored at ``at``; ``members`` replace members of the
        entry.
        """
        entry = withdrawal_entry(
            **{"ledger": LEDGER, "id": "01K5M0000000000000000000W1", "statement": reference(self.statement(of))}
            | {"party": actor.id, "reason": "consent_withdrawn", "iat": at}
            | members
        )
        return self.carrying(as_text(sign_entry(entry, (key or actor).signer)), at)

    def carrying(self, text: str, at: int, issuer: Actor = ISSUER, instead_of: int | None = None) -> Made:
        """Add an entry to the evidence, or replace one; the entry is anchored at time ``at`` in a separate batch."""
        position = Position(issuer.no, 20 + len(self.bundle.anchors), 1)
        tree, anchor = batch(position, 200, 2, {1: text}, at)
        evidence = [*self.bundle.evidence]
        index = len(evidence) if instead_of is None else instead_of
        evidence[index : index + 1] = [Evidence(text, position, tuple(tree.inclusion_proof(1)))]
        return self._anchored(anchor, evidence=tuple(evidence))

    def anchoring(self, index: int, at: int, issuer: Actor = ISSUER) -> Made:
        """Anchor only the evidence entry number ``index`` in a separate batch at time ``at``."""
        return self.carrying(self.bundle.evidence[index].entry, at, issuer, index)

    def anchored_again(self, position: Position, first_seq: int, at: int = ANCHORED) -> Made:
        """Anchor the certificate a second time, at another log position. The chain data say that the new position is
        active.
        """
        text = parse_certificate(self.bundle.certificate).issued.payload.decode()
        tree, anchor = batch(position, first_seq, position.index + 1, {position.index: text}, at)
        proof = tuple(tree.inclusion_proof(position.index))
        return self._anchored(anchor, position=position, proof=proof).status(of=position)

    def _anchored(self, anchor: Anchor, **members: Any) -> Made:
        bundle = replace(self.bundle, anchors=(*self.bundle.anchors, anchor), **members)
        return replace(self, bundle=bundle).knowing(anchors={**self.facts.anchors, **commitments([anchor])})

    def verify(self, at: int = AT, expect: Expectation = EXPECT) -> Report:
        """Verify the bytes of the file, as a verifier does."""
        return verify(self.bundle.to_bytes(), self.facts, at, expect)

    def verify_changed(self, *changes: tuple[str, Any], drop: str | None = None) -> Report:
        """Replace members of the bundle file (named by paths like ``anchors.0.root``), remove the member ``drop``, and
        verify the result.
        """
        document = self.document()
        for path, value in changes:
            *way, last = _steps(path)
            reduce(getitem, way, document)[last] = value
        if drop is not None:
            *way, last = _steps(drop)
            del reduce(getitem, way, document)[last]
        return self.verify_file(json.dumps(document).encode())

    def verify_file(self, raw: bytes) -> Report:
        return verify(raw, self.facts, AT, EXPECT)


def commitments(anchors: Sequence[Anchor]) -> dict[tuple[int, int], str]:
    return {anchor.log_batch: event_digest("CertificateLog.Anchored", anchor.event_args()).hex() for anchor in anchors}


def _steps(path: str) -> list[Any]:
    return [int(step) if step.isdigit() else step for step in path.split(".")]


def batch(where: Position, first_seq: int, size: int, texts: Mapping[int, str], at: int) -> tuple[Tree, Anchor]:
    """Return the tree and the anchor of the batch at this position. Entries that are not in ``texts`` are invented."""
    entries = [texts.get(index, as_text({"type": "other", "no": index})).encode() for index in range(size)]
    tree = Tree([leaf_hash(entry) for entry in entries])
    return tree, Anchor(where.issuer, where.batch, first_seq, size, tree.root, at)
