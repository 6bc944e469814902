"""Builds genuine bundles in memory, with test keys, and the matching facts (what a verifier reads from the chain).

Each parameter changes one thing before signing and anchoring. The bundle is then wrong only in this one thing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.domain.digests import SHA_256
from ledger.domain.entries import (
    authorization_entry,
    provision_entry,
    registration_certificate_payload,
    request_entry,
    template_entry,
    usage_certificate_payload,
)
from ledger.proof.bundle import Anchor, Bundle, ChainId, Evidence, StatusSeen
from ledger.proof.facts import (
    AccountFact,
    AssetFact,
    Facts,
    Heads,
    HolderFact,
    LogFact,
    PartyFact,
    ProposedKey,
    WithdrawalFact,
)
from ledger.proof.facts_needed import facts_needed
from ledger.proof.jws import public_jwk, sign_compact, sign_entry
from ledger.proof.sdjwt import CERTIFICATE_TYP, Disclosed, disclose
from tests.support.bundles.cast import (
    ANCHORED,
    ASSET,
    AUTHORIZATION,
    BANK,
    BLOCK_TIME,
    CERTIFICATE,
    CHAIN,
    CONSENTED,
    EVIDENCE_ANCHORED,
    EXPIRES,
    FIRST_SEQ,
    GRID,
    HIDDEN,
    ISSUED,
    ISSUER,
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
from tests.support.bundles.made import Made, batch, commitments

ONBOARDED = ProposedKey(by=1, confirmed_by=9, at=CONSENTED - 90_000)
"""The proposal that bound each key, except the issuer's, which is a founding key."""


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
    """Return a usage certificate with one authorization and one provision for each source, presented to the bank.

    ``template``, ``request``, ``consent``, ``supply`` (of the tax office) and ``claims`` replace members before
    signing. The consent to the power grid gets all members of ``consent`` except id, fields, source and provider.
    ``hidden`` are the claims. Each is signed by the provider of the source that ``RULES`` gives for its name; without a
    rule, no provider signs it. ``spare`` are claims that only the issuer signs: they are in ``_sd`` but not in
    ``fields``. ``algorithm`` hashes both kinds of claims. ``write`` turns evidence into text. Every statement names the
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
    evidence_tree, evidence_anchor = batch(AUTHORIZATION, 40, 8, placed, EVIDENCE_ANCHORED)
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
    """Return a registration certificate; it is public and has no selectively disclosable claims."""
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
    """Assemble a bundle and its facts (chain data); the first of the signers is the issuer."""
    text = as_text(payload)
    tree, anchor = batch(CERTIFICATE, FIRST_SEQ, 7, {CERTIFICATE.index: text}, ANCHORED)
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
    """Return the facts (chain data) that match the bundle when nothing has changed on the chain since the bundle was
    anchored.
    """
    accredited = {SCENARIO: (CONSENTED - 86_400, EXPIRES), "S00": (CONSENTED - 86_400, EXPIRES)}
    issuers = (ISSUER, OTHER_ISSUER)
    needed, anchors = facts_needed(bundle), commitments(bundle.anchors)
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
