"""Genuine bundles with the facts that go with them, made in memory by keys of their own.

Every knob changes what is signed and anchored, so that the result is wrong in that one way and genuine in every other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import getitem
from typing import Any

from ledger.domain.digests import SHA_256, reference
from ledger.domain.entries import (
    authorization_entry,
    provision_entry,
    registration_certificate_payload,
    request_entry,
    statement_digest,
    template_entry,
    usage_certificate_payload,
    withdrawal_entry,
)
from ledger.proof.bundle import Anchor, Bundle, ChainId, Evidence, Position, StatusSeen
from ledger.proof.facts import (
    AccountFact,
    AssetFact,
    Facts,
    Heads,
    HolderFact,
    HoldFact,
    LogFact,
    PartyFact,
    ProposedKey,
    StatusFact,
    UseFact,
    WithdrawalFact,
)
from ledger.proof.facts_needed import facts_needed
from ledger.proof.head import event_digest
from ledger.proof.jws import public_jwk, sign_compact, sign_entry
from ledger.proof.merkle import Tree, leaf_hash
from ledger.proof.report import Report
from ledger.proof.sdjwt import CERTIFICATE_TYP, Disclosed, bind_key, compose, disclose, parse_certificate
from ledger.proof.verifier import Expectation, verify
from tests.support.bundles.cast import (
    ANCHORED,
    ASSET,
    AT,
    AUTHORIZATION,
    BANK,
    BLOCK_TIME,
    CERTIFICATE,
    CHAIN,
    CONSENTED,
    DEVICE,
    EVIDENCE_ANCHORED,
    EXPECT,
    EXPIRES,
    FIRST_SEQ,
    GRID,
    HIDDEN,
    ISSUED,
    ISSUER,
    LEDGER,
    NONCE,
    OTHER_ISSUER,
    PARTIES,
    PLACES,
    RULES,
    SCENARIO,
    SUBJECT,
    TAX,
    Actor,
    Changes,
    Entry,
    as_text,
    common_members,
    consent_members,
    request_members,
    salted,
    supply_members,
    template_members,
    usage_members,
)

ONBOARDED = ProposedKey(by=1, confirmed_by=9, at=CONSENTED - 90_000)
"""How each key came to its party, but for the issuer's, which is a founding one."""


@dataclass(frozen=True)
class Made:
    """A bundle, its facts, the issuer's token and every disclosure there is."""

    bundle: Bundle
    facts: Facts
    token: str
    hidden: tuple[Disclosed, ...]

    def document(self) -> dict[str, Any]:
        """The bundle as JSON of its own, to be changed."""
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
        """The same certificate with other claims disclosed, or for another consumer, or by another key or none."""
        shown = compose(token or self.token, [item for item in self.hidden if item.name in names])
        if holder is not None:
            shown = bind_key(shown, holder.signer, audience=audience, nonce=nonce, at=at)
        return replace(self, bundle=self.bundle.with_certificate(shown))

    def knowing(self, **facts: Any) -> Made:
        """The same bundle with other facts."""
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
        """With the parties that held the asset, each since when."""
        return self.asset(holders=tuple(HolderFact(actor.id, since) for actor, since in holders))

    @property
    def claims(self) -> Entry:
        """The certificate's payload."""
        return parse_certificate(self.bundle.certificate).claims

    def statement(self, what: str) -> str:
        """64 hex digits: of the certificate, or of the first evidence of that type."""
        entries = [self.claims, *(dict(item.statement) for item in self.bundle.evidence)]
        return statement_digest(next(entry for entry in entries if entry["type"] == what))

    def status(self, *history: tuple[str, str, int], of: Position | None = None) -> Made:
        """By default the status of the certificate."""
        changes = tuple(StatusFact(status, reason, at) for status, reason, at in history)
        return self.knowing(status={**self.facts.status, of or self.bundle.position: changes})

    def on_hold(self, *history: tuple[tuple[str, ...], str, int], of: str = "certificate") -> Made:
        """With holds of a statement: the offices that hold it after the change, the reason, the time."""
        changes = tuple(HoldFact(offices, reason, at, 9) for offices, reason, at in history)
        return self.knowing(holds={**self.facts.holds, self.statement(of): changes})

    def used(self, *times: int, by: Actor = BANK) -> Made:
        uses = tuple(UseFact(number, at) for number, at in enumerate(times, 1))
        return self.knowing(uses={**self.facts.uses, (by.id, self.statement("request")): uses})

    def withdrawn(
        self, *withdrawals: tuple[Actor, int], of: str = "authorization", by_reported_key: bool = False
    ) -> Made:
        """With withdrawals on the chain: who withdrew the statement, and when; beside those that it has already."""
        known, time = dict(self.facts.withdrawals), "reported_at" if by_reported_key else "at"
        for actor, at in withdrawals:
            key = (actor.id, self.statement(of))
            known[key] = replace(known.get(key, WithdrawalFact(0, 0)), **{time: at})
        return self.knowing(withdrawals=known)

    def withdrawing(
        self, actor: Actor, at: int, *, of: str = "authorization", key: Actor | None = None, **members: Any
    ) -> Made:
        """With a signed ``withdrawal`` entry in the evidence, anchored ``at``; ``members`` replace some of its own."""
        entry = withdrawal_entry(
            **{"ledger": LEDGER, "id": "01K5M0000000000000000000W1", "statement": reference(self.statement(of))}
            | {"party": actor.id, "reason": "consent_withdrawn", "iat": at}
            | members
        )
        return self.carrying(as_text(sign_entry(entry, (key or actor).signer)), at)

    def carrying(self, text: str, at: int, issuer: Actor = ISSUER, instead_of: int | None = None) -> Made:
        """With one more entry in the evidence, or one instead of another, anchored ``at`` in a batch of its own."""
        position = Position(issuer.no, 20 + len(self.bundle.anchors), 1)
        tree, anchor = _batch(position, 200, 2, {1: text}, at)
        evidence = [*self.bundle.evidence]
        index = len(evidence) if instead_of is None else instead_of
        evidence[index : index + 1] = [Evidence(text, position, tuple(tree.inclusion_proof(1)))]
        return self._anchored(anchor, evidence=tuple(evidence))

    def anchoring(self, index: int, at: int, issuer: Actor = ISSUER) -> Made:
        """With the evidence at ``index`` anchored ``at``, in a batch of its own, and shown there alone."""
        return self.carrying(self.bundle.evidence[index].entry, at, issuer, index)

    def anchored_again(self, position: Position, first_seq: int, at: int = ANCHORED) -> Made:
        """The very same certificate at another place of a log, active and known there."""
        text = parse_certificate(self.bundle.certificate).issued.payload.decode()
        tree, anchor = _batch(position, first_seq, position.index + 1, {position.index: text}, at)
        proof = tuple(tree.inclusion_proof(position.index))
        return self._anchored(anchor, position=position, proof=proof).status(of=position)

    def _anchored(self, anchor: Anchor, **members: Any) -> Made:
        bundle = replace(self.bundle, anchors=(*self.bundle.anchors, anchor), **members)
        return replace(self, bundle=bundle).knowing(anchors={**self.facts.anchors, **_commitments([anchor])})

    def verify(self, at: int = AT, expect: Expectation = EXPECT) -> Report:
        """From the file's bytes, as a verifier gets it."""
        return verify(self.bundle.to_bytes(), self.facts, at, expect)

    def verify_changed(self, *changes: tuple[str, Any], drop: str | None = None) -> Report:
        """With members of the file replaced, each named by its path, as in ``anchors.0.root``; or one removed."""
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


OWN_TERMS = {"id", "fields", "source", "provider"}


def usage(
    *,
    template: Changes | None = None,
    request: Changes | None = None,
    consent: Changes | None = None,
    supply: Changes | None = None,
    claims: Changes | None = None,
    hidden: Changes | None = None,
    spare: Changes | None = None,
    disclosed: Sequence[str] = ("tax_band", "power_trend"),
    issuer: Actor = ISSUER,
    consumer_key: Actor = BANK,
    subject_key: Actor = SUBJECT,
    tax_key: Actor = TAX,
    grid_key: Actor = GRID,
    algorithm: str = SHA_256,
    chain: ChainId = CHAIN,
    write: Callable[[Changes], str] = as_text,
) -> Made:
    """A usage certificate over a request, one authorization and one provision a source, presented to the bank.

    ``template``, ``request``, ``consent``, ``supply`` (the tax actors's) and ``claims`` replace members before anything
    is signed; of ``consent`` the power grid's gets all but id, fields, source and provider. ``hidden`` are the claims:
    the provider of its source signs each that the scenario allows; ``spare`` are signed in ``_sd`` by the issuer alone,
    without standing in ``fields``; ``algorithm`` hashes both; ``write`` turns evidence into text. All of it is of the
    ledger of ``chain``.
    """
    own = {"ledger": chain.ledger}
    secrets = salted({**(hidden or HIDDEN), **(spare or {})})
    allowed = write(template_entry(**(template_members() | own | dict(template or {}))))
    asking = request_members(allowed, algorithm) | own | dict(request or {})
    asked = write(sign_entry(request_entry(**asking), consumer_key.signer))
    both = {name: value for name, value in dict(consent or {}).items() if name not in OWN_TERMS}
    consents = [
        consent_members(asked, TAX) | own | dict(consent or {}),
        consent_members(asked, GRID) | own | both,
    ]
    given = [write(sign_entry(authorization_entry(**entry), subject_key.signer)) for entry in consents]
    entries = [
        supply_members(provider, text, allowed, _own_claims(source, secrets), algorithm) | own
        for provider, source, text in zip((TAX, GRID), ("tax", "power"), given, strict=True)
    ]
    entries[0] |= dict(supply or {})
    supplies = [
        sign_entry(provision_entry(**entry), key.signer)
        for entry, key in zip(entries, (tax_key, grid_key), strict=True)
    ]
    texts = [given[0], *(write(entry) for entry in supplies), given[1], allowed, asked]
    rests_on = {"template": [allowed], "request": [asked], "authorizations": given, "provisions": texts[1:3]}
    members = usage_members(rests_on, supplies, hidden or HIDDEN) | own | dict(claims or {})
    payload = disclose(usage_certificate_payload(**members), secrets, algorithm) | dict(claims or {})
    placed = {place.index: text for place, text in zip(PLACES, texts, strict=True)}
    evidence_tree, evidence_anchor = _batch(AUTHORIZATION, 40, 8, placed, EVIDENCE_ANCHORED)
    evidence = tuple(
        Evidence(text, position, tuple(evidence_tree.inclusion_proof(position.index)))
        for text, position in zip(texts, PLACES, strict=True)
    )
    signers = (issuer, SUBJECT, TAX, GRID, BANK, subject_key, tax_key, grid_key, consumer_key)
    made = _made(payload, signers, evidence, [evidence_anchor], secrets, chain)
    return made.presenting(*disclosed)


def _own_claims(source: str, secrets: Sequence[Disclosed]) -> list[Disclosed]:
    return [item for item in secrets if RULES.get(item.name, ("", {}))[0] == source]


def registration(*, claims: Changes | None = None, issuer: Actor = ISSUER) -> Made:
    """A registration certificate; anyone may rely on it, nothing is hidden in it."""
    members = common_members("S00", SUBJECT) | {
        "asset": ASSET,
        "resource": {"name": "Power readings 2025", "records": 120_000},
        "application": {"kind": "first", "number": 1},
        "notice": {"from": ISSUED - 20 * 86_400, "to": ISSUED - 86_401},
        "rights": [
            {"kind": kind, "holder": SUBJECT.id, "grant": 0, "exclusive": False, "from": 0, "to": EXPIRES}
            for kind in ("hold", "operate")
        ],
        "reg_no": "ZJ-2026-000123",
        "supersedes": None,
    }
    payload = registration_certificate_payload(**members) | dict(claims or {})
    made = _made(payload, (issuer,), (), [], ())
    holders = (HolderFact(SUBJECT.id, ISSUED - 600),)
    asset = AssetFact("confirmed", holders, False, EXPIRES, "5e" * 32, 0, (), "")
    return made.presenting(holder=None).knowing(assets={ASSET: asset})


def _made(
    payload: Entry,
    signers: Sequence[Actor],
    evidence: tuple[Evidence, ...],
    anchors: list[Anchor],
    hidden: tuple[Disclosed, ...],
    chain: ChainId = CHAIN,
) -> Made:
    """The first signer is the issuer."""
    text = as_text(payload)
    tree, anchor = _batch(CERTIFICATE, FIRST_SEQ, 7, {CERTIFICATE.index: text}, ANCHORED)
    token = sign_compact(text.encode(), signers[0].signer, CERTIFICATE_TYP)
    anchors = [*anchors, anchor]
    bundle = Bundle(
        chain=chain,
        certificate=f"{token}~",
        position=CERTIFICATE,
        proof=tuple(tree.inclusion_proof(CERTIFICATE.index)),
        evidence=evidence,
        anchors=tuple(anchors),
        keys={actor.account: public_jwk(actor.signer.public_key) for actor in signers},
        status=StatusSeen(70, "active"),
    )
    return Made(bundle, _facts(bundle, (*PARTIES, *signers)), token, hidden)


def _facts(bundle: Bundle, parties: Sequence[Actor]) -> Facts:
    """All that a reader finds for the bundle, where nothing has happened since."""
    accredited = {SCENARIO: (CONSENTED - 86_400, EXPIRES), "S00": (CONSENTED - 86_400, EXPIRES)}
    issuers = (ISSUER, OTHER_ISSUER)
    needed, anchors = facts_needed(bundle), _commitments(bundle.anchors)
    return Facts(
        chain=bundle.chain,
        block=77,
        block_hash="b1" * 32,
        block_time=BLOCK_TIME,
        heads=Heads("e1" * 32, "e2" * 32),
        logs={ISSUER.no: LogFact(CERTIFICATE.batch + 1, anchors[CERTIFICATE.log_batch])},
        anchors=anchors,
        status={needed.position: ()},
        holds=dict.fromkeys(needed.statements, ()),
        uses={} if needed.uses is None else {needed.uses: ()},
        withdrawals=dict.fromkeys(needed.withdrawals, WithdrawalFact(0, 0)),
        accounts={
            actor.account: AccountFact(
                party=actor.id,
                valid_from=CONSENTED - 86_400,
                valid_to=0,
                reported_at=0,
                compromised_at=0,
                proposal=None if actor.no == ISSUER.no else ONBOARDED,
                key=actor.signer.public_key,
            )
            for actor in parties
        },
        parties={actor.id: PartyFact(actor.no, "active", ("issuer",), accredited) for actor in issuers},
    )


def _commitments(anchors: Sequence[Anchor]) -> dict[tuple[int, int], str]:
    return {anchor.log_batch: event_digest("CertificateLog.Anchored", anchor.event_args()).hex() for anchor in anchors}


def _steps(path: str) -> list[Any]:
    return [int(step) if step.isdigit() else step for step in path.split(".")]


def _batch(where: Position, first_seq: int, size: int, texts: Mapping[int, str], at: int) -> tuple[Tree, Anchor]:
    """The batch of a position; its other entries are other people's."""
    entries = [texts.get(index, as_text({"type": "other", "no": index})).encode() for index in range(size)]
    tree = Tree([leaf_hash(entry) for entry in entries])
    return tree, Anchor(where.issuer, where.batch, first_seq, size, tree.root, at)
