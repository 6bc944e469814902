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

from ledger.domain.digests import SHA_256
from ledger.domain.entries import (
    authorization_entry,
    provision_entry,
    registration_certificate_payload,
    request_entry,
    template_entry,
    usage_certificate_payload,
)
from ledger.proof.bundle import Anchor, Bundle, Evidence, Position, StatusSeen
from ledger.proof.facts import AccountFact, AssetFact, Facts, HolderFact, PartyFact, StatusFact, UseFact, WithdrawalFact
from ledger.proof.head import event_digest
from ledger.proof.jws import public_jwk, sign_compact, sign_entry
from ledger.proof.merkle import Tree, leaf_hash
from ledger.proof.report import Report
from ledger.proof.sdjwt import CERTIFICATE_TYP, Disclosed, bind_key, compose, disclose
from ledger.proof.verifier import Expectation, verify
from tests.proof.cast import (
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
    GRID,
    HIDDEN,
    ISSUED,
    ISSUER,
    NONCE,
    OTHER_ISSUER,
    PARTIES,
    PLACES,
    SCENARIO,
    SUBJECT,
    SUPPLIES,
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

    def status(self, *history: tuple[str, str, int], of: Position = CERTIFICATE) -> Made:
        changes = tuple(StatusFact(status, reason, at, 2) for status, reason, at in history)
        return self.knowing(status={**self.facts.status, of: changes})

    def used(self, *times: int) -> Made:
        return self.knowing(uses={CERTIFICATE: tuple(UseFact(number, at) for number, at in enumerate(times, 1))})

    def withdrawn(self, *withdrawals: tuple[Actor, int], of: Position = AUTHORIZATION) -> Made:
        """With the withdrawals that parties posted to the chain by themselves."""
        history = tuple(WithdrawalFact(actor.id, at) for actor, at in withdrawals)
        return self.knowing(withdrawals={**self.facts.withdrawals, of: history})

    def verify(self, at: int = AT, expect: Expectation = EXPECT) -> Report:
        """From the file's bytes, as a verifier gets it."""
        return verify(self.bundle.to_bytes(), self.facts, at, expect)

    def verify_changed(self, *changes: tuple[str, Any], drop: str | None = None) -> Report:
        """With members of the file replaced, each named by its path, as in ``anchors.0.root``; or one removed."""
        document = self.document()
        for path, value in changes:
            *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
            reduce(getitem, way, document)[last] = value
        if drop is not None:
            *way, last = (int(step) if step.isdigit() else step for step in drop.split("."))
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
    write: Callable[[Changes], str] = as_text,
) -> Made:
    """A usage certificate over a request, one authorization and one provision a source, presented to the bank.

    ``template``, ``request``, ``consent``, ``supply`` (the tax bureau's) and ``claims`` replace members before anything
    is signed; of ``consent`` the power grid's gets all but id, fields, source and provider. ``hidden`` are the claims;
    ``spare`` are signed in ``_sd`` without standing in ``fields``; ``algorithm`` hashes both; ``write`` turns evidence
    into text.
    """
    allowed = write(template_entry(**(template_members() | dict(template or {}))))
    asked = write(sign_entry(request_entry(**(request_members(allowed) | dict(request or {}))), consumer_key.signer))
    both = {name: value for name, value in dict(consent or {}).items() if name not in OWN_TERMS}
    consents = [
        consent_members(asked, TAX) | dict(consent or {}),
        consent_members(asked, GRID) | both,
    ]
    given = [write(sign_entry(authorization_entry(**entry), subject_key.signer)) for entry in consents]
    entries = [
        supply_members(TAX, SUPPLIES[0][1], given[0]) | dict(supply or {}),
        supply_members(*SUPPLIES[1], given[1]),
    ]
    supplies = [
        sign_entry(provision_entry(**entry), key.signer)
        for entry, key in zip(entries, (tax_key, grid_key), strict=True)
    ]
    texts = [given[0], *(write(entry) for entry in supplies), given[1], allowed, asked]
    rests_on = {"template": [allowed], "request": [asked], "authorizations": given, "provisions": texts[1:3]}
    members = usage_members(rests_on, supplies, hidden or HIDDEN) | dict(claims or {})
    secrets = salted({**(hidden or HIDDEN), **(spare or {})})
    payload = disclose(usage_certificate_payload(**members), secrets, algorithm) | dict(claims or {})
    placed = {place.index: text for place, text in zip(PLACES, texts, strict=True)}
    evidence_tree, evidence_anchor = _batch(AUTHORIZATION.batch, 40, 8, placed, EVIDENCE_ANCHORED)
    evidence = tuple(
        Evidence(text, position, tuple(evidence_tree.inclusion_proof(position.index)))
        for text, position in zip(texts, PLACES, strict=True)
    )
    signers = (issuer, SUBJECT, TAX, GRID, BANK, subject_key, tax_key, grid_key, consumer_key)
    made = _made(payload, signers, evidence, [evidence_anchor], secrets)
    return made.presenting(*disclosed)


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
    return made.presenting(holder=None).knowing(assets={ASSET: asset}, uses={})


def _made(
    payload: Entry,
    signers: Sequence[Actor],
    evidence: tuple[Evidence, ...],
    anchors: list[Anchor],
    hidden: tuple[Disclosed, ...],
) -> Made:
    """The first signer is the issuer."""
    text = as_text(payload)
    tree, anchor = _batch(CERTIFICATE.batch, 48, 7, {CERTIFICATE.index: text}, ANCHORED)
    token = sign_compact(text.encode(), signers[0].signer, CERTIFICATE_TYP)
    anchors = [*anchors, anchor]
    bundle = Bundle(
        chain=CHAIN,
        certificate=f"{token}~",
        position=CERTIFICATE,
        proof=tuple(tree.inclusion_proof(CERTIFICATE.index)),
        evidence=evidence,
        anchors=tuple(anchors),
        keys={actor.account: public_jwk(actor.signer.public_key) for actor in signers},
        status=StatusSeen(70, "active"),
    )
    positions = [CERTIFICATE, *(item.position for item in evidence)]
    return Made(bundle, _facts(anchors, positions, (*PARTIES, *signers)), token, hidden)


def _facts(anchors: Sequence[Anchor], positions: Sequence[Position], parties: Sequence[Actor]) -> Facts:
    accredited = {SCENARIO: (CONSENTED - 86_400, EXPIRES), "S00": (CONSENTED - 86_400, EXPIRES)}
    issuers = (ISSUER, OTHER_ISSUER)
    return Facts(
        chain=CHAIN,
        block=77,
        block_hash="b1" * 32,
        block_time=BLOCK_TIME,
        anchors={
            anchor.batch: event_digest("CertificateLog.Anchored", anchor.event_args()).hex() for anchor in anchors
        },
        status=dict.fromkeys(positions, ()),
        uses={CERTIFICATE: ()},
        withdrawals=dict.fromkeys((position for position in positions if position != CERTIFICATE), ()),
        accounts={
            actor.account: AccountFact(actor.id, CONSENTED - 86_400, 0, 0, actor.signer.public_key) for actor in parties
        },
        parties={actor.id: PartyFact(actor.no, "active", ("issuer",), accredited) for actor in issuers},
    )


def _batch(number: int, first_seq: int, size: int, texts: Mapping[int, str], at: int) -> tuple[Tree, Anchor]:
    """A batch whose other entries are other people's."""
    entries = [texts.get(index, as_text({"type": "other", "no": index})).encode() for index in range(size)]
    tree = Tree([leaf_hash(entry) for entry in entries])
    return tree, Anchor(number, first_seq, size, tree.root, at, ISSUER.no)
