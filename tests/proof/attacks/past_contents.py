"""Attacks that once succeeded with false contents: values, claims, rules and signatures.

Each attack makes its own bundle and facts. Every signature and anchor in them is made by the party that they name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger.domain.canonical import canonical
from ledger.proof.report import Report
from ledger.proof.sdjwt import Disclosed
from tests.proof.attacks.tampering import Attack
from tests.proof.attacks.test_attacks import high_s
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    EVIDENCE_ANCHORED,
    EXPECT,
    HIDDEN,
    ISSUED,
    OTHER_BANK,
    RULES,
    SUBJECT,
    TAX,
    Changes,
    salted,
    supply_members,
    template_members,
)
from tests.support.bundles.genuine import GENUINE

TRUTH = {name: HIDDEN[name] for name in ("tax_band", "tax_trend")}
WHOLE_ROW = "440802199001011234"
HIDES = Disclosed("A" * 22, "tax_band", {"_sd": ["A" * 43]})
EXPECTS = replace(EXPECT, templates=frozenset({GENUINE.claims["template"]}))
"""What the bank expects: it knows the scenario, and therefore the scenario's template."""


def provided(**values: Any) -> dict[str, str]:
    """Return the claims in the form that the tax office signs: as salted digests."""
    return supply_members(TAX, "{}", "{}", salted(values))["claims"]


def ruled(**rules: Changes) -> dict[str, Any]:
    """Return the ``fields`` of the template with other rules for the named fields."""
    fields = template_members()["fields"]
    return {"fields": [field | {"rule": rules.get(field["name"], field["rule"])} for field in fields]}


def names_exchanged() -> Report:
    """Exchange the names of two claims of the same kind, so that each name shows the value that the provider signed for
    the other name.
    """
    hidden = HIDDEN | {"tax_trend": "A"}
    rules = ruled(tax_trend=RULES["tax_band"][1])
    signed = provided(tax_band="B", tax_trend="A")
    swapped = {"tax_band": signed["tax_trend"], "tax_trend": signed["tax_band"]}
    return usage(template=rules, hidden=hidden, supply={"claims": swapped}).verify()


def shown(value: Any) -> Report:
    """Disclose a claim whose value contains hidden data. The provider and the platform cooperate in this attack."""
    return usage(hidden=HIDDEN | {"tax_band": value}, disclosed=["tax_band"]).verify()


def flipped() -> Report:
    *parts, signature = GENUINE.token.split(".")
    return GENUINE.presenting("tax_band", token=".".join([*parts, high_s(signature)])).verify()


def consent_flipped() -> Report:
    """Anchor the withdrawn consent a second time, with the other valid ``s`` in its signature, so that it becomes a
    different leaf.
    """
    made = GENUINE.withdrawn((SUBJECT, ANCHORED + 1))
    entry = dict(made.bundle.evidence[0].statement)
    header, _, signature = entry["signature"].split(".")
    text = canonical(entry | {"signature": f"{header}..{high_s(signature)}"}).decode()
    return made.carrying(text, EVIDENCE_ANCHORED, instead_of=0).verify()


def repeated_row() -> Report:
    """Disclose a whole row. The scenario allows only predicates, but one rule in its template returns any text
    unchanged.
    """
    repeats = ruled(tax_band={"op": "text", "column": "band", "order": "month"})
    return usage(template=repeats | {"payload_mode": "predicate"}, hidden=HIDDEN | {"tax_band": WHOLE_ROW}).verify()


def other_rules(rule: Changes, **hidden: Any) -> Report:
    """Change a rule in the template but keep the scenario's digest; the bank knows the scenario's real rules."""
    return usage(template=ruled(tax_band=rule), hidden=HIDDEN | hidden).verify(expect=EXPECTS)


ATTACKS: dict[str, tuple[int, str, Attack]] = {
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
    "B: the value of one claim, shown as another": (11, "CLAIM_DIFFERS", names_exchanged),
    "B: an ID number in place of a band": (
        4,
        "CLAIM_OUTSIDE_RULE",
        lambda: usage(hidden=HIDDEN | {"tax_band": WHOLE_ROW}).verify(),
    ),
    "B: a row in place of a band": (
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
    "B: the provider withdrew its old answer to correct it": (
        11,
        "PROVISION_WITHDRAWN",
        lambda: GENUINE.withdrawn((TAX, ANCHORED + 1), of="provision").verify(),
    ),
    "C: a consent that another subject signed": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda: usage(subject_key=OTHER_BANK).verify(),
    ),
    "C: a consent of another subject, signed by that subject": (
        11,
        "AUTHORIZATION_NOT_BY_SUBJECT",
        lambda: usage(consent={"subject": OTHER_BANK.id}, subject_key=OTHER_BANK).verify(),
    ),
    "F: hidden members in the registered resource": (
        1,
        "SD_NAME_NESTED",
        lambda: registration(claims={"resource": {"name": "x", "_sd": ["A" * 43]}}).verify(),
    ),
    "F: a hidden item in a list of the registered resource": (
        1,
        "SD_NAME_NESTED",
        lambda: registration(claims={"resource": {"names": [{"...": "A" * 43}]}}).verify(),
    ),
    "F: an algorithm name deep in the registered resource": (
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
    "G: certificate with the other s": (2, "SIGNATURE_INVALID", flipped),
    "G: consent with the other s": (11, "AUTHORIZATION_NOT_BY_SUBJECT", consent_flipped),
    "H: a row under a rule that predicates do not have": (4, "RULE_OUTSIDE_MODE", repeated_row),
    "H: another column under the same scenario": (
        11,
        "TEMPLATE_NOT_EXPECTED",
        lambda: other_rules(RULES["tax_band"][1] | {"column": "turnover"}),
    ),
    "H: an ID number as a choice in a template for one subject": (
        11,
        "TEMPLATE_NOT_EXPECTED",
        lambda: other_rules(RULES["tax_band"][1] | {"choices": [WHOLE_ROW, "B"]}, tax_band=WHOLE_ROW),
    ),
}
