"""Lists changes to the genuine bundle. Each item says which check must fail after the change, and with which code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ledger.domain.codes import certificate_no
from ledger.domain.days import DAY
from ledger.proof.bundle import Position
from ledger.proof.checks.usage_certificate import MAX_KEY_BINDING_AGE, MAX_KEY_BINDING_SKEW
from ledger.proof.facts import Facts
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    CERTIFICATE,
    CONSENTED,
    EXPECT,
    EXPIRES,
    HIDDEN,
    ISSUER,
    OTHER_BANK,
    OTHER_ISSUER,
    PLACES,
    SCENARIO,
    SUBJECT,
    TAX,
)
from tests.support.bundles.changes import (
    ANCHORS,
    COURT,
    OTHER_LEDGER,
    asked,
    changed,
    claiming,
    consented,
    knowing_anchors,
    registered_in,
    ruled,
    supplied,
    templated,
    unheard_of,
    used_by_another,
)
from tests.support.bundles.evidence_mutations import EVIDENCE_FAILURES
from tests.support.bundles.genuine import GENUINE

# For each change: the number of the check that must fail, its error code, the change's name, and a function that
# returns the report.
FAILURES: list[tuple[int, str, str, Callable[[], Report]]] = [
    (1, "NOT_A_BUNDLE", "no JSON", lambda: GENUINE.verify_file(b"{")),
    (1, "PROTOCOL_UNSUPPORTED", "other format", changed("format", "pingzheng-bundle/3")),
    (1, "PROTOCOL_UNSUPPORTED", "format of protocol 1", changed("format", "pingzheng-bundle/1")),
    (1, "PROTOCOL_UNSUPPORTED", "certificate of protocol 1", claiming(v=1)),
    (1, "PROTOCOL_UNSUPPORTED", "evidence of protocol 1", supplied(v=1)),
    (1, "LEDGER_DIFFERS", "certificate of another ledger", claiming(ledger=OTHER_LEDGER)),
    (1, "LEDGER_DIFFERS", "template of another ledger", templated(ledger=OTHER_LEDGER)),
    (1, "LEDGER_DIFFERS", "request of another ledger", asked(ledger=OTHER_LEDGER)),
    (1, "LEDGER_DIFFERS", "consent of another ledger", consented(ledger=OTHER_LEDGER)),
    (1, "LEDGER_DIFFERS", "provision of another ledger", supplied(ledger=OTHER_LEDGER)),
    (1, "FOREIGN_CHAIN", "a copy of the contracts with another origin", changed("chain.origin", "0b" * 32)),
    (1, "FOREIGN_CHAIN", "other delay", changed("chain.delay", 1)),
    (1, "BUNDLE_FORM", "member missing", lambda: GENUINE.verify_changed(drop="status")),
    (1, "FOREIGN_CHAIN", "other contract", changed("chain.certificate_log", "0x" + "d1" * 20)),
    (1, "FOREIGN_CHAIN", "no facts", lambda: replace(GENUINE, facts=Facts.nothing()).verify()),
    (1, "CERTIFICATE_FORM", "no SD-JWT", changed("certificate", GENUINE.token)),
    (1, "ENTRY_SHAPE", "claim of another kind", claiming(max_uses="3")),
    (1, "ENTRY_SHAPE", "evidence is no entry", changed("evidence.0.entry", "[]")),
    (1, "ENTRY_SHAPE", "scenario of registrations", claiming(scenario="S00")),
    (1, "ENTRY_SHAPE", "registration by an issuer of usage certificates", lambda: registered_in(SCENARIO).verify()),
    (1, "ENTRY_SHAPE", "number of another scenario", claiming(certificate_no=certificate_no("440802", 2026, "S52", 1))),
    (1, "ENTRY_SHAPE", "field named like a claim", lambda: usage(hidden=HIDDEN | {"grade": "A"}).verify()),
    (2, "ANCHOR_MISSING", "no anchor says when", lambda: GENUINE.verify_changed(drop="anchors.1")),
    (2, "KEY_UNKNOWN", "account unknown", lambda: GENUINE.knowing(accounts={}).verify()),
    (2, "KEY_NOT_IN_FORCE", "account too new", lambda: GENUINE.account(ISSUER, valid_from=ANCHORED + 1).verify()),
    (2, "KEY_NOT_IN_FORCE", "account retired", lambda: GENUINE.account(ISSUER, valid_to=ANCHORED).verify()),
    (2, "KEY_REPORTED", "key reported", lambda: GENUINE.account(ISSUER, reported_at=ANCHORED).verify()),
    (2, "KEY_COMPROMISED", "key stolen", lambda: GENUINE.account(ISSUER, compromised_at=ANCHORED).verify()),
    (2, "SIGNATURE_INVALID", "key changed", lambda: GENUINE.account(ISSUER, key=TAX.signer.public_key).verify()),
    (3, "ISSUER_DIFFERS", "signed by another issuer", lambda: usage(issuer=OTHER_ISSUER).verify()),
    (3, "ISSUER_DIFFERS", "issuer unknown", lambda: GENUINE.knowing(parties={}).verify()),
    (3, "ISSUER_NOT_IN_FORCE", "issuer suspended", lambda: GENUINE.party(ISSUER, status="suspended").verify()),
    (3, "ISSUER_NOT_IN_FORCE", "no issuer", lambda: GENUINE.party(ISSUER, roles=("provider",)).verify()),
    (3, "ISSUER_NOT_ACCREDITED", "never", lambda: GENUINE.party(ISSUER, accreditations={"S52": (0, EXPIRES)}).verify()),
    (
        3,
        "ISSUER_NOT_ACCREDITED",
        "until then only",
        lambda: GENUINE.party(ISSUER, accreditations={SCENARIO: (0, ANCHORED)}).verify(),
    ),
    (4, "DISCLOSURE_NOT_NAMED", "claim not in fields", lambda: usage(spare={"x": 1}, disclosed=["x"]).verify()),
    (4, "CLAIM_OUTSIDE_RULE", "value of no rule", lambda: usage(hidden=HIDDEN | {"tax_band": "D"}).verify()),
    (4, "CLAIM_OUTSIDE_RULE", "rule of no language", templated(fields=ruled("tax_band", {"op": "equals"}))),
    (4, "RULE_OUTSIDE_MODE", "score as a predicate", templated(payload_mode="predicate")),
    (4, "EVIDENCE_MISSING", "template left out", lambda: GENUINE.verify_changed(drop="evidence.4")),
    (4, "DISCLOSURE_FOREIGN", "claim not in _sd", lambda: usage(claims={"_sd": ["A" * 43]}).verify()),
    (5, "NOT_INCLUDED", "other place", changed("position.index", CERTIFICATE.index - 1)),
    (5, "NOT_INCLUDED", "evidence of other proof", changed("evidence.1.proof", [])),
    (5, "NOT_AT_ITS_SEQ", "another sequence number", claiming(seq=54)),
    (5, "ANCHOR_MISSING", "anchor of the evidence missing", lambda: GENUINE.verify_changed(drop="anchors.0")),
    (6, "NOT_ANCHORED", "batch unknown", lambda: GENUINE.knowing(anchors={}).verify()),
    (6, "NOT_ANCHORED", "evidence's batch unknown", lambda: knowing_anchors({CERTIFICATE.log_batch: None})),
    (6, "ANCHOR_DIFFERS", "other first entry", changed("anchors.0.first_seq", 39)),
    (6, "ANCHOR_DIFFERS", "other root on the chain", lambda: knowing_anchors(dict.fromkeys(ANCHORS, "00" * 32))),
    (6, "ANCHOR_NOT_BY_ISSUER", "anchored by another", lambda: GENUINE.anchored_again(Position(8, 0, 53), 0).verify()),
    (7, "NOT_YET_VALID", "too early", lambda: usage(claims={"nbf": AT + 1}).verify()),
    (7, "EXPIRED", "too late", lambda: usage(claims={"exp": AT}).verify()),
    (8, "STATUS_UNKNOWN", "no status", lambda: GENUINE.knowing(status=dict.fromkeys(PLACES, ())).verify()),
    (8, "HOLDS_UNKNOWN", "no holds of it", lambda: unheard_of("certificate")),
    (8, "HOLDS_UNKNOWN", "no holds of its request", lambda: unheard_of("request")),
    (8, "HELD", "held", lambda: GENUINE.on_hold(COURT).verify()),
    (8, "HELD", "request held", lambda: GENUINE.on_hold(COURT, of="request").verify()),
    (8, "REVOKED", "revoked", lambda: GENUINE.status(("revoked", "fraud", AT)).verify()),
    (8, "SUSPENDED", "suspended", lambda: GENUINE.status(("suspended", "investigation", AT)).verify()),
    (8, "SUPERSEDED", "superseded", lambda: GENUINE.status(("superseded", "superseded", AT)).verify()),
    (9, "USES_UNKNOWN", "no uses", lambda: GENUINE.knowing(uses={}).verify()),
    (9, "USES_UNKNOWN", "uses of another bank", used_by_another),
    (9, "USED_UP", "used up", lambda: GENUINE.used(AT - 2, AT - 1, AT).verify()),
    (10, "PARTY_NOT_NAMED", "nobody asks", lambda: GENUINE.verify(expect=Expectation())),
    (10, "PARTY_NOT_NAMED", "no consumer", lambda: GENUINE.verify(expect=Expectation(nonce=EXPECT.nonce))),
    (10, "PARTY_NOT_NAMED", "no nonce", lambda: GENUINE.verify(expect=Expectation(consumer=BANK.id))),
    (10, "NOT_PARTY", "other bank", lambda: GENUINE.verify(expect=replace(EXPECT, consumer=OTHER_BANK.id))),
    (10, "KEY_BINDING_MISSING", "not bound", lambda: GENUINE.presenting(holder=None).verify()),
    (10, "KEY_BINDING_INVALID", "other key", lambda: GENUINE.presenting(holder=SUBJECT).verify()),
    (10, "KEY_BINDING_DIFFERS", "other audience", lambda: GENUINE.presenting(audience=OTHER_BANK.id).verify()),
    (10, "KEY_BINDING_TIME", "too old", lambda: GENUINE.presenting(at=AT - MAX_KEY_BINDING_AGE - 1).verify()),
    (10, "KEY_BINDING_TIME", "from the future", lambda: GENUINE.presenting(at=AT + MAX_KEY_BINDING_SKEW + 1).verify()),
    *EVIDENCE_FAILURES,
]
IDS = [f"{number}-{code}-{what}" for number, code, what, _ in FAILURES]

WHOLE_DAYS = (EXPIRES - CONSENTED) // DAY + 1
FROM = {"valid_from": EXPIRES - WHOLE_DAYS * DAY}
AT_THE_LIMIT = {
    "uses": lambda: usage(template={"max_uses": 3}, request={"max_uses": 3}, consent={"max_uses": 3}),
    "period": lambda: usage(template={"max_validity_days": WHOLE_DAYS}, request=FROM, consent=FROM),
    "consent by itself": lambda: usage(template={"legal_basis": "separate_consent"}),
    "consent among others": lambda: usage(consent={"separate_consent": False}),
}
