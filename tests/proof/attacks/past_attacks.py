"""What was done with success to protocol 1, and to protocol 2 before its checks were mended (H); what it meets now.

Each attack makes a bundle and facts of its own: all that is signed and anchored in them was signed and anchored by the
party that says so.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

from ledger.domain.canonical import canonical
from ledger.domain.codes import certificate_no
from ledger.proof.bundle import Position
from ledger.proof.report import Report
from ledger.proof.sdjwt import Disclosed
from tests.proof.attacks.tampering import Attack
from tests.proof.attacks.test_attacks import high_s
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    CERTIFICATE,
    CHAIN,
    EVIDENCE_ANCHORED,
    EXPECT,
    FIRST_SEQ,
    HIDDEN,
    ISSUED,
    ISSUER,
    OTHER_BANK,
    OTHER_ISSUER,
    RULES,
    SCENARIO,
    SUBJECT,
    TAX,
    Changes,
    salted,
    supply_members,
    template_members,
)
from tests.support.bundles.made import Made

GENUINE = usage()
SEQ = FIRST_SEQ + CERTIFICATE.index
ELSEWHERE = Position(OTHER_ISSUER.no, 0, SEQ)
"""In another issuer's log, at the sequence number that the certificate states."""
LATER = Position(ISSUER.no, 9, 2)
COURT = (("authority",), "court", ANCHORED)
OTHER_NUMBER = {"certificate_no": certificate_no("440802", 2026, SCENARIO, 124)}
SECOND = usage(claims=OTHER_NUMBER)
"""Another certificate under the very same request, consents and provisions."""
COPY = replace(CHAIN, origin="0b" * 32)
"""The same addresses on the same chain id: a chain that was copied, or set up again from the same keys."""


def spent() -> Made:
    """Revoked, its consent withdrawn, its uses used up."""
    made = GENUINE.status(("revoked", "fraud", ANCHORED + 1)).withdrawn((SUBJECT, ANCHORED + 1))
    return made.used(ANCHORED + 1, ANCHORED + 2, ANCHORED + 3)


def of_the_same_request(made: Made) -> Made:
    """The second certificate, by the facts about the first: they share a request."""
    return replace(SECOND, facts=replace(SECOND.facts, holds={**SECOND.facts.holds, **made.facts.holds})).knowing(
        uses=made.facts.uses, withdrawals=made.facts.withdrawals
    )


# --- A: anchored again, issued again ----------------------------------------------------------------------------------


def consent_anchored_again(at: int) -> Report:
    """The subject withdrew; another issuer anchors its consent in its own log, and the bundle points there."""
    return GENUINE.anchoring(0, at, OTHER_ISSUER).withdrawn((SUBJECT, ANCHORED + 1)).verify()


def said_to_be_the_issuers() -> Report:
    """Another issuer's anchor, which the bundle says is the issuer's."""
    made = GENUINE.anchored_again(ELSEWHERE, 0)
    last = len(made.bundle.anchors) - 1
    return made.verify_changed((f"anchors.{last}.issuer", ISSUER.no), ("position.issuer", ISSUER.no))


def signed_again_by_another_issuer() -> Report:
    """Another issuer writes a certificate of its own over the same evidence: it shares the uses of the first."""
    other = usage(claims=OTHER_NUMBER | {"iss": OTHER_ISSUER.id}, issuer=OTHER_ISSUER)
    again = other.anchored_again(ELSEWHERE, 0).presenting("tax_band")
    return again.knowing(uses=spent().facts.uses).verify()


# --- B: the platform lies about values --------------------------------------------------------------------------------


def provided(**values: Any) -> dict[str, str]:
    """The claims as the tax actors signs them."""
    return supply_members(TAX, "{}", "{}", salted(values))["claims"]


TRUTH = {name: HIDDEN[name] for name in ("tax_band", "tax_trend")}
WHOLE_ROW = "440802199001011234"


def ruled(**rules: Changes) -> dict[str, Any]:
    """The template with other rules."""
    fields = template_members()["fields"]
    return {"fields": [field | {"rule": rules.get(field["name"], field["rule"])} for field in fields]}


def names_exchanged() -> Report:
    """Two claims of one kind: what the provider signed as one is shown as the other."""
    hidden = HIDDEN | {"tax_trend": "A"}
    rules = ruled(tax_trend=RULES["tax_band"][1])
    signed = provided(tax_band="B", tax_trend="A")
    swapped = {"tax_band": signed["tax_trend"], "tax_trend": signed["tax_band"]}
    return usage(template=rules, hidden=hidden, supply={"claims": swapped}).verify()


# --- E: another ledger ------------------------------------------------------------------------------------------------


def copied(name_the_real_one: bool = False) -> Report:
    """A bundle from a copied chain, judged by facts of the real one, on which the same was anchored."""
    made = usage(chain=COPY)
    bundle = replace(made.bundle, chain=CHAIN) if name_the_real_one else made.bundle
    return replace(made, bundle=bundle).knowing(chain=CHAIN).verify()


def replayed(statement: str) -> Report:
    """One statement that was signed for the copy."""
    changes: dict[str, Any] = {statement: {"ledger": COPY.ledger}}
    return usage(**changes).verify()


# --- F: read otherwise elsewhere --------------------------------------------------------------------------------------

HIDES = Disclosed("A" * 22, "tax_band", {"_sd": ["A" * 43]})


def shown(value: Any) -> Report:
    """A provider and a platform that hide something within a claim, and disclose that claim."""
    return usage(hidden=HIDDEN | {"tax_band": value}, disclosed=["tax_band"]).verify()


# --- G: signatures that anybody can make ------------------------------------------------------------------------------


def flipped() -> Report:
    *parts, signature = GENUINE.token.split(".")
    return GENUINE.presenting("tax_band", token=".".join([*parts, high_s(signature)])).verify()


def consent_flipped() -> Report:
    """The subject's withdrawn consent, its signature turned over: as another leaf, anchored anew."""
    made = GENUINE.withdrawn((SUBJECT, ANCHORED + 1))
    entry = dict(made.bundle.evidence[0].statement)
    header, _, signature = entry["signature"].split(".")
    text = canonical(entry | {"signature": f"{header}..{high_s(signature)}"}).decode()
    return made.carrying(text, EVIDENCE_ANCHORED, instead_of=0).verify()


# --- H: a platform that fits in later what was not there, or writes other rules under a scenario ----------------------

RESTS_ON = [f"{item.statement['type']} {number}" for number, item in enumerate(GENUINE.bundle.evidence)]
EXPECTS = replace(EXPECT, templates=frozenset({GENUINE.claims["template"]}))
"""A bank that knows the scenario, and so the one template that its certificates may rest on."""


def all_anchored_later() -> Report:
    """The certificate came first, and all that it rests on a second after it."""
    return reduce(lambda made, index: made.anchoring(index, ANCHORED + 1), range(len(RESTS_ON)), GENUINE).verify()


def told_row() -> Report:
    """A scenario of predicates, whose template has a rule that repeats whatever was written."""
    repeats = ruled(tax_band={"op": "text", "column": "band", "order": "month"})
    return usage(template=repeats | {"payload_mode": "predicate"}, hidden=HIDDEN | {"tax_band": WHOLE_ROW}).verify()


def other_rules(rule: Changes, **hidden: Any) -> Report:
    """Other rules under the scenario's own digest, to a bank that knows the scenario."""
    return usage(template=ruled(tax_band=rule), hidden=HIDDEN | hidden).verify(expect=EXPECTS)


ATTACKS: dict[str, tuple[int, str, Attack]] = {
    "A: anchored again by another issuer": (
        6,
        "ANCHOR_NOT_BY_ISSUER",
        lambda: spent().anchored_again(ELSEWHERE, 0).verify(),
    ),
    "A: anchored again by another issuer, which says it is the first": (6, "NOT_ANCHORED", said_to_be_the_issuers),
    "A: anchored again in the same log": (5, "NOT_AT_ITS_SEQ", lambda: spent().anchored_again(LATER, 90).verify()),
    "A: registration anchored again": (
        5,
        "NOT_AT_ITS_SEQ",
        lambda: registration().status(("revoked", "fraud", AT)).anchored_again(LATER, 90).verify(),
    ),
    "A: withdrawn consent anchored again": (
        11,
        "EVIDENCE_ANCHORED_LATER",
        lambda: consent_anchored_again(ANCHORED + 2),
    ),
    "A: withdrawn consent shown where it was anchored before the certificate, too": (
        11,
        "AUTHORIZATION_WITHDRAWN",
        lambda: consent_anchored_again(ANCHORED),
    ),
    "A: issued twice under one request, used up by the first": (
        9,
        "USED_UP",
        lambda: of_the_same_request(GENUINE.used(ANCHORED + 1, ANCHORED + 2, ANCHORED + 3)).verify(),
    ),
    "A: issued twice, the second by another issuer": (9, "USED_UP", signed_again_by_another_issuer),
    "A: issued twice, its consent withdrawn under the first": (
        11,
        "AUTHORIZATION_WITHDRAWN",
        lambda: of_the_same_request(GENUINE.withdrawn((SUBJECT, ANCHORED + 1))).verify(),
    ),
    "A: held, and issued again under the same request": (
        8,
        "HELD",
        lambda: of_the_same_request(GENUINE.on_hold(COURT).on_hold(COURT, of="request")).verify(),
    ),
    "A: its consent held, and issued again": (
        11,
        "AUTHORIZATION_HELD",
        lambda: of_the_same_request(GENUINE.on_hold(COURT, of="authorization")).verify(),
    ),
    "B: a value that the provider did not sign": (
        11,
        "CLAIMS_NOT_PROVIDED",
        lambda: usage(hidden=HIDDEN | {"tax_band": "A"}, supply={"claims": provided(**TRUTH)}).verify(),
    ),
    "B: a claim that no provider signed": (
        11,
        "CLAIMS_NOT_PROVIDED",
        lambda: usage(supply={"claims": provided(tax_band="B")}).verify(),
    ),
    "B: what one claim says, shown as another": (11, "CLAIM_DIFFERS", names_exchanged),
    "B: an ID number for one of three bands": (
        4,
        "CLAIM_OUTSIDE_RULE",
        lambda: usage(hidden=HIDDEN | {"tax_band": WHOLE_ROW}).verify(),
    ),
    "B: a row for a trend": (
        4,
        "CLAIM_OUTSIDE_RULE",
        lambda: usage(hidden=HIDDEN | {"tax_band": [["202601", "12.5"]]}).verify(),
    ),
    "B: a number beyond any score": (
        4,
        "CLAIM_OUTSIDE_RULE",
        lambda: usage(hidden=HIDDEN | {"power_trend": 440802199001}).verify(),
    ),
    "B: a value under a rule that nobody can compute": (
        4,
        "CLAIM_OUTSIDE_RULE",
        lambda: usage(template=ruled(tax_band={"op": "anything"})).verify(),
    ),
    "B: computed by the rules of another version": (
        11,
        "PROVISION_DIFFERS",
        lambda: usage(supply={"engine": 1}).verify(),
    ),
    "B: computed under another template": (
        11,
        "PROVISION_DIFFERS",
        lambda: usage(supply={"template": "sha-256:" + "77" * 32}).verify(),
    ),
    "B: the provider corrected, and withdrew the old answer": (
        11,
        "PROVISION_WITHDRAWN",
        lambda: GENUINE.withdrawn((TAX, ANCHORED + 1), of="provision").verify(),
    ),
    "C: a consent that another subject signed": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda: usage(subject_key=OTHER_BANK).verify(),
    ),
    "C: a consent of another subject, signed by that one": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda: usage(consent={"subject": OTHER_BANK.id}, subject_key=OTHER_BANK).verify(),
    ),
    "D: uses of another consumer alone are listed": (
        9,
        "USES_UNKNOWN",
        lambda: GENUINE.knowing(uses={}).used(AT, by=OTHER_BANK).verify(),
    ),
    "E: bundle of a copied chain": (1, "FOREIGN_CHAIN", copied),
    "E: bundle of a copied chain that names the real one": (
        1,
        "LEDGER_DIFFERS",
        lambda: copied(name_the_real_one=True),
    ),
    **{
        f"E: {name} signed for another ledger": (1, "LEDGER_DIFFERS", lambda name=name: replayed(name))
        for name in ("template", "request", "consent", "supply", "claims")
    },
    "E: withdrawal signed for another ledger": (
        1,
        "LEDGER_DIFFERS",
        lambda: GENUINE.withdrawing(SUBJECT, AT, ledger=COPY.ledger).verify(),
    ),
    "F: hidden members in what was registered": (
        1,
        "SD_NAME_NESTED",
        lambda: registration(claims={"resource": {"name": "x", "_sd": ["A" * 43]}}).verify(),
    ),
    "F: a hidden item of a list in what was registered": (
        1,
        "SD_NAME_NESTED",
        lambda: registration(claims={"resource": {"names": [{"...": "A" * 43}]}}).verify(),
    ),
    "F: an algorithm deep in what was registered": (
        1,
        "SD_NAME_NESTED",
        lambda: registration(claims={"resource": {"a": {"b": {"_sd_alg": "sha-512"}}}}).verify(),
    ),
    "F: a reserved name as text": (1, "SD_NAME_NESTED", lambda: usage(claims={"purpose": "..."}).verify()),
    "F: a hidden member in the holder's key": (
        1,
        "SD_NAME_NESTED",
        lambda: usage(claims={"cnf": {"jwk": {"_sd": "A"}}}).verify(),
    ),
    "F: hidden members in a disclosed value": (1, "SD_NAME_NESTED", lambda: shown({"_sd": ["A" * 43]})),
    "F: a hidden item in a disclosed list": (1, "SD_NAME_NESTED", lambda: shown([{"...": "A" * 43}])),
    "F: a reserved name as a disclosed text": (1, "SD_NAME_NESTED", lambda: shown("_sd_alg")),
    "F: one digest twice": (1, "ENTRY_SHAPE", lambda: usage(claims={"_sd": GENUINE.claims["_sd"] * 2}).verify()),
    "F: one digest for two claims": (
        1,
        "ENTRY_SHAPE",
        lambda: usage(supply={"claims": dict.fromkeys(TRUTH, "A" * 43)}).verify(),
    ),
    **{
        f"F: a field named {name}": (1, "ENTRY_SHAPE", lambda name=name: usage(hidden=HIDDEN | {name: 1}).verify())
        for name in ("seq", "ledger", "status", "aud", "asset")
    },
    "F: a node of 31 bytes": (1, "BUNDLE_FORM", lambda: GENUINE.verify_changed(("proof.0", "00" * 31))),
    "F: a key binding of a year ago": (
        10,
        "KEY_BINDING_TIME",
        lambda: GENUINE.presenting("tax_band", at=AT - 365 * 86_400).verify(),
    ),
    "F: a key binding before the certificate was issued": (
        10,
        "KEY_BINDING_TIME",
        lambda: GENUINE.presenting("tax_band", at=ISSUED - 10).verify(),
    ),
    "F: a key binding of the year 1970": (10, "KEY_BINDING_TIME", lambda: GENUINE.presenting(at=0).verify()),
    "F: a key binding before 1970": (10, "KEY_BINDING_TIME", lambda: GENUINE.presenting(at=-1).verify()),
    "G: certificate with its s turned over": (2, "SIGNATURE_INVALID", flipped),
    "G: consent with its s turned over": (11, "AUTHORIZATION_NOT_BY_SUBJECT", consent_flipped),
    **{
        f"H: {what} anchored after the certificate": (
            11,
            "EVIDENCE_ANCHORED_LATER",
            lambda index=index: GENUINE.anchoring(index, ANCHORED + 1).verify(),
        )
        for index, what in enumerate(RESTS_ON)
    },
    "H: all evidence anchored after the certificate": (11, "EVIDENCE_ANCHORED_LATER", all_anchored_later),
    "H: consent anchored after the time judged": (
        11,
        "EVIDENCE_ANCHORED_LATER",
        lambda: GENUINE.anchoring(0, AT + 5_000).knowing(block_time=AT + 9_000).verify(),
    ),
    "H: a row under a rule that predicates do not have": (4, "RULE_OUTSIDE_MODE", told_row),
    "H: another column under the same scenario": (
        11,
        "TEMPLATE_NOT_EXPECTED",
        lambda: other_rules(RULES["tax_band"][1] | {"column": "turnover"}),
    ),
    "H: an ID number as a choice of a template that was made for one subject": (
        11,
        "TEMPLATE_NOT_EXPECTED",
        lambda: other_rules(RULES["tax_band"][1] | {"choices": [WHOLE_ROW, "B"]}, tax_band=WHOLE_ROW),
    ),
}
