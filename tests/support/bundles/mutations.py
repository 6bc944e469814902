"""One mutation of a genuine bundle each, with the check that it breaks and the code by which that check says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ledger.domain.codes import certificate_no
from ledger.domain.days import DAY
from ledger.domain.entries import authorization_entry, provision_entry
from ledger.proof.bundle import Position
from ledger.proof.checks.usage_certificate import MAX_KEY_BINDING_AGE, MAX_KEY_BINDING_SKEW
from ledger.proof.facts import Facts
from ledger.proof.jws import public_jwk, sign_entry
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from tests.support.bundles.builder import Made, registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    CERTIFICATE,
    CHAIN,
    CONSENTED,
    EVIDENCE_ANCHORED,
    EXPECT,
    EXPIRES,
    GRID,
    HIDDEN,
    ISSUED,
    ISSUER,
    OTHER_BANK,
    OTHER_ISSUER,
    PLACES,
    RULES,
    SCENARIO,
    SUBJECT,
    TAX,
    Actor,
    Changes,
    as_text,
    consent_members,
    named,
    salted,
    supply_members,
    template_members,
)

GENUINE = usage()
OTHER_LEAF = "sha-256:" + "77" * 32
OTHER_LEDGER = replace(CHAIN, origin="0b" * 32).ledger
COURT = (("authority",), "court", AT)
ANCHORS = GENUINE.facts.anchors
OTHER_KEY = public_jwk(SUBJECT.signer.public_key).to_dict()
TO_THE_GRID = {"source": "power", "provider": GRID.id}


def consented(**changes: object) -> Callable[[], Report]:
    return lambda: usage(consent=changes).verify()


def supplied(**changes: object) -> Callable[[], Report]:
    return lambda: usage(supply=changes).verify()


def asked(**changes: object) -> Callable[[], Report]:
    return lambda: usage(request=changes).verify()


def templated(**changes: object) -> Callable[[], Report]:
    return lambda: usage(template=changes).verify()


def claiming(**changes: object) -> Callable[[], Report]:
    return lambda: usage(claims=changes).verify()


def changed(path: str, value: object) -> Callable[[], Report]:
    return lambda: GENUINE.verify_changed((path, value))


def signed(*names: str) -> dict[str, str]:
    """Claims as a provider signs them."""
    values = {"tax_arrears": 0} | HIDDEN
    return supply_members(TAX, "{}", "{}", salted({name: values[name] for name in names}))["claims"]


def anchored_later(index: int) -> Callable[[], Report]:
    """One entry that the certificate rests on was anchored a second after the certificate."""
    return GENUINE.anchoring(index, ANCHORED + 1).verify


def expecting(*templates: str) -> Expectation:
    return replace(EXPECT, templates=frozenset(templates))


def ruled(name: str, rule: Changes) -> list[dict[str, Any]]:
    """The template's fields with another rule for one of them."""
    return [field | ({"rule": rule} if field["name"] == name else {}) for field in template_members()["fields"]]


def knowing_anchors(changes: dict[Any, Any]) -> Report:
    known = {place: commitment for place, commitment in {**ANCHORS, **changes}.items() if commitment is not None}
    return GENUINE.knowing(anchors=known).verify()


def unheard_of(what: str) -> Report:
    """The facts list the holds of all statements but one."""
    holds = {
        statement: holds for statement, holds in GENUINE.facts.holds.items() if statement != GENUINE.statement(what)
    }
    return GENUINE.knowing(holds=holds).verify()


def withdrawals_of(actor: Actor) -> Report:
    """The facts list only that party's withdrawals."""
    return GENUINE.knowing(
        withdrawals={key: at for key, at in GENUINE.facts.withdrawals.items() if key[0] == actor.id}
    ).verify()


def used_by_another() -> Report:
    return GENUINE.knowing(uses={}).used(by=OTHER_BANK).verify()


def undisclosed(drop: str) -> Report:
    """Without one piece of evidence, presented with no claim disclosed."""
    return GENUINE.presenting().verify_changed(drop=drop)


def supplied_for_the_grid() -> Report:
    """The tax actors signs a claim that the scenario takes from the grid, and the subject had authorised so."""
    fields = ruled("tax_trend", RULES["tax_trend"][1])
    moved = [field | ({"source": "power"} if field["name"] == "tax_trend" else {}) for field in fields]
    return usage(template={"fields": moved}).verify()


def exchanged() -> Report:
    """Two claims of one kind: the provider signs each under the name of the other."""
    band = RULES["tax_band"][1]
    hidden = HIDDEN | {"tax_trend": "A"}
    made = usage(template={"fields": ruled("tax_trend", band)}, hidden=hidden)
    provided = next(dict(item.statement) for item in made.bundle.evidence if item.statement["type"] == "provision")
    swapped = dict(zip(provided["claims"], reversed(provided["claims"].values()), strict=True))
    return usage(template={"fields": ruled("tax_trend", band)}, hidden=hidden, supply={"claims": swapped}).verify()


def registered_in(scenario: str) -> Made:
    """A registration certificate under the scenario that its issuer happens to be accredited for."""
    return registration(claims={"scenario": scenario, "certificate_no": certificate_no("440802", 2026, scenario, 1)})


TAXES: dict[str, Any] = {"hidden": {"tax_band": "B"}, "disclosed": ["tax_band"]}


def consented_in_vain() -> Report:
    """The certificate names the grid's consent too, and nothing that the grid supplied under it."""
    claims = usage(**TAXES).claims
    return usage(
        **TAXES, claims={name: claims[name][:1] for name in ("providers", "provisions", "components")}
    ).verify()


def supplied_twice() -> Report:
    """The tax actors supplied, corrected what it had supplied, and the certificate takes both."""
    seen: dict[str, list[str]] = {}

    def write(entry: Changes) -> str:
        if entry["type"] == "provision" and entry["provider"] == GRID.id:
            again = supply_members(TAX, seen["authorization"][0], seen["template"][0], [])
            entry = sign_entry(provision_entry(**again | {"corrects": named(seen["provision"][0])}), TAX.signer)
        seen.setdefault(entry["type"], []).append(as_text(entry))
        return as_text(entry)

    usage(**TAXES, write=write)
    one_source = {"providers": [TAX.id], "authorizations": [named(seen["authorization"][0])]}
    twice = {"components": components(fields=["tax_band"])[:1] * 2}
    return usage(**TAXES, claims=one_source | twice, write=write).verify()


def consented_twice() -> Report:
    """Two consents to the tax actors, each with a provision of its own: what one of them allows is not to be told."""
    seen: dict[str, str] = {}

    def write(entry: Changes) -> str:
        if entry.get("provider") == GRID.id and entry["type"] == "authorization":
            again = consent_members(seen["request"]) | {"id": "01K5M0000000000000000000B4"}
            entry = sign_entry(authorization_entry(**again), SUBJECT.signer)
        if entry.get("provider") == GRID.id and entry["type"] == "provision":
            again = supply_members(TAX, seen["authorization"], seen["template"]) | {"id": "01K5M0000000000000000000Q4"}
            entry = sign_entry(provision_entry(**again), TAX.signer)
        seen[entry["type"]] = as_text(entry)
        return seen[entry["type"]]

    twice = {"providers": [TAX.id], "components": components(fields=["tax_band"])[:1] * 2}
    return usage(**TAXES, claims=twice, write=write).verify()


def components(**changes: object) -> list[dict[str, Any]]:
    first, second = GENUINE.claims["components"]
    return [first | changes, second]


# number, code, what was done, how.
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
    (1, "FOREIGN_CHAIN", "a copy with another past", changed("chain.origin", "0b" * 32)),
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
    (11, "EVIDENCE_MISSING", "consent left out", lambda: GENUINE.verify_changed(drop="evidence.0")),
    (11, "EVIDENCE_MISSING", "provision left out", lambda: GENUINE.verify_changed(drop="evidence.2")),
    (11, "EVIDENCE_MISSING", "provision for a consent", claiming(authorizations=[OTHER_LEAF])),
    *(
        (11, "EVIDENCE_ANCHORED_LATER", f"{item.statement['type']} {number}", anchored_later(number))
        for number, item in enumerate(GENUINE.bundle.evidence)
    ),
    (11, "TEMPLATE_NOT_EXPECTED", "another template", lambda: GENUINE.verify(expect=expecting(OTHER_LEAF))),
    (11, "TEMPLATE_NOT_EXPECTED", "no template is accepted", lambda: GENUINE.verify(expect=expecting())),
    (11, "AUTHORIZATION_NOT_BY_SUBJECT", "consent by another", lambda: usage(subject_key=TAX).verify()),
    (11, "AUTHORIZATION_DIFFERS", "consent of another subject", consented(subject=OTHER_BANK.id)),
    (11, "AUTHORIZATION_DIFFERS", "consent for another consumer", consented(consumer=OTHER_BANK.id)),
    (11, "AUTHORIZATION_DIFFERS", "consent for another scenario", consented(scenario="S52")),
    (11, "AUTHORIZATION_DIFFERS", "consent to another version", consented(scenario_version=2)),
    (11, "AUTHORIZATION_DIFFERS", "consent for another purpose", consented(purpose="Marketing")),
    (11, "AUTHORIZATION_DIFFERS", "consent by another channel", consented(channel="government_platform")),
    (11, "AUTHORIZATION_DIFFERS", "consent to fewer uses", consented(max_uses=2)),
    (11, "AUTHORIZATION_DIFFERS", "consent ends before", consented(valid_to=EXPIRES - 1)),
    (11, "AUTHORIZATION_DIFFERS", "consent begins after", consented(valid_from=ISSUED + 1)),
    (11, "FIELD_OUTSIDE_AUTHORIZATION", "consent to less", consented(fields=["tax_band"])),
    (11, "PROVISION_DIFFERS", "a provider more", claiming(providers=[TAX.id, GRID.id, OTHER_BANK.id])),
    (11, "EVIDENCE_MISSING", "template left out, nothing disclosed", lambda: undisclosed("evidence.4")),
    (11, "EVIDENCE_MISSING", "request left out", lambda: GENUINE.verify_changed(drop="evidence.5")),
    (11, "TEMPLATE_DIFFERS", "template of another scenario", templated(scenario="S52")),
    (11, "TEMPLATE_DIFFERS", "template of another version", templated(scenario_version=2)),
    (11, "TEMPLATE_DIFFERS", "template of another definition", templated(scenario_digest=OTHER_LEAF)),
    (11, "TEMPLATE_DIFFERS", "template allows fewer uses", templated(max_uses=2)),
    (11, "TEMPLATE_DIFFERS", "template without the channel", templated(channels=["government_platform"])),
    (11, "TEMPLATE_DIFFERS", "other rules", claiming(components=components(rule_version="S51/1/engine-1"))),
    (11, "TEMPLATE_DIFFERS", "raw data", claiming(components=components(payload_mode="raw"))),
    (11, "FIELD_OUTSIDE_TEMPLATE", "field of no template", lambda: usage(hidden=HIDDEN | {"debts": 0}).verify()),
    (11, "FIELD_OUTSIDE_REQUEST", "field nobody asked for", asked(fields=["tax_band", "power_trend"])),
    (11, "REQUEST_NOT_BY_CONSUMER", "request by another bank", lambda: usage(consumer_key=OTHER_BANK).verify()),
    (11, "REQUEST_DIFFERS", "request under another template", asked(template=OTHER_LEAF)),
    (11, "REQUEST_DIFFERS", "request to another subject", asked(subject=OTHER_BANK.id)),
    (11, "REQUEST_DIFFERS", "request of another consumer", asked(consumer=OTHER_BANK.id)),
    (11, "REQUEST_DIFFERS", "request in another scenario", asked(scenario="S52")),
    (11, "REQUEST_DIFFERS", "request by another channel", asked(channel="government_platform")),
    (11, "REQUEST_DIFFERS", "request for fewer uses", asked(max_uses=2)),
    (11, "REQUEST_DIFFERS", "request for other digests", asked(sd_alg="sm3")),
    (11, "AUTHORIZATION_BEYOND_REQUEST", "provider not asked", asked(sources=[TO_THE_GRID])),
    (11, "AUTHORIZATION_BEYOND_REQUEST", "asked for less time", asked(valid_to=EXPIRES - 1)),
    (11, "AUTHORIZATION_BEYOND_REQUEST", "asked for a later time", asked(valid_from=CONSENTED + 1)),
    (11, "AUTHORIZATION_BEYOND_REQUEST", "answered too late", asked(expires_at=CONSENTED)),
    (11, "AUTHORIZATION_BEYOND_TEMPLATE", "longer than allowed", templated(max_validity_days=30)),
    (
        11,
        "SEPARATE_CONSENT_MISSING",
        "consented in passing",
        lambda: usage(template={"legal_basis": "separate_consent"}, consent={"separate_consent": False}).verify(),
    ),
    (11, "AUTHORIZATION_DIFFERS", "consent to another request", consented(request=OTHER_LEAF)),
    (11, "AUTHORIZATION_DIFFERS", "another holder's key", consented(holder_key=OTHER_KEY)),
    (11, "AUTHORIZATION_BEYOND_REQUEST", "consent to another source", consented(source="power")),
    (11, "PROVISION_DIFFERS", "supplied from another source", supplied(source="power")),
    (11, "AUTHORIZATION_WITHDRAWN", "by the subject", lambda: GENUINE.withdrawn((SUBJECT, AT)).verify()),
    (11, "AUTHORIZATION_WITHDRAWN", "by an entry of the subject", lambda: GENUINE.withdrawing(SUBJECT, AT).verify()),
    (11, "PROVISION_WITHDRAWN", "by the provider", lambda: GENUINE.withdrawn((TAX, AT), of="provision").verify()),
    (
        11,
        "PROVISION_WITHDRAWN",
        "by an entry of the provider",
        lambda: GENUINE.withdrawing(TAX, AT, of="provision").verify(),
    ),
    (11, "WITHDRAWALS_UNKNOWN", "unheard", lambda: GENUINE.knowing(withdrawals={}).verify()),
    (11, "WITHDRAWALS_UNKNOWN", "provision unheard", lambda: withdrawals_of(SUBJECT)),
    (11, "HOLDS_UNKNOWN", "no holds of the consent", lambda: unheard_of("authorization")),
    (11, "HOLDS_UNKNOWN", "no holds of the provision", lambda: unheard_of("provision")),
    (11, "AUTHORIZATION_HELD", "consent held", lambda: GENUINE.on_hold(COURT, of="authorization").verify()),
    (11, "PROVISION_HELD", "provision held", lambda: GENUINE.on_hold(COURT, of="provision").verify()),
    (11, "KEY_NOT_IN_FORCE", "subject's", lambda: GENUINE.account(SUBJECT, valid_to=EVIDENCE_ANCHORED).verify()),
    (11, "KEY_REPORTED", "consumer's reported", lambda: GENUINE.account(BANK, reported_at=CONSENTED).verify()),
    (11, "KEY_COMPROMISED", "provider's", lambda: GENUINE.account(TAX, compromised_at=CONSENTED).verify()),
    (11, "PROVISION_NOT_BY_PROVIDER", "provision by another", lambda: usage(tax_key=GRID).verify()),
    (11, "PROVISION_DIFFERS", "provision under another consent", supplied(authorization=OTHER_LEAF)),
    (11, "PROVISION_DIFFERS", "nothing supplied", supplied(result="no_data")),
    (11, "PROVISION_DIFFERS", "supplied and refused", supplied(reason="disputed")),
    (11, "PROVISION_DIFFERS", "refused", supplied(result="refused", reason="disputed")),
    (11, "PROVISION_DIFFERS", "under another template", supplied(template=OTHER_LEAF)),
    (11, "PROVISION_DIFFERS", "by other rules", supplied(engine=1)),
    (11, "PROVISION_DIFFERS", "with other digests", supplied(sd_alg="sm3")),
    (11, "FIELD_OUTSIDE_AUTHORIZATION", "more supplied than authorised", supplied(claims=signed("tax_arrears"))),
    (11, "PROVISION_DIFFERS", "supplied for another source", supplied_for_the_grid),
    (11, "CLAIMS_NOT_PROVIDED", "less supplied than claimed", supplied(claims=signed("tax_band"))),
    (11, "CLAIMS_NOT_PROVIDED", "more supplied than claimed", claiming(fields=["tax_band", "power_trend"])),
    (11, "CLAIMS_NOT_PROVIDED", "a decoy", lambda: usage(spare={"x": 1}).verify()),
    (11, "CLAIM_DIFFERS", "one name's value under another", exchanged),
    (11, "PROVISION_DIFFERS", "components in another order", claiming(components=components()[::-1])),
    (
        11,
        "PROVISION_DIFFERS",
        "component's names not ascending",
        claiming(components=components(fields=["tax_trend", "tax_band"])),
    ),
    (11, "PROVISION_DIFFERS", "component is other data", claiming(components=components(payload_digest=OTHER_LEAF))),
    (11, "PROVISION_DIFFERS", "component is of another day", claiming(components=components(as_of="2026-09-01"))),
    (11, "PROVISION_DIFFERS", "provider not told", claiming(providers=[TAX.id])),
    (
        11,
        "PROVISION_DIFFERS",
        "supplied by another",
        lambda: usage(supply={"provider": GRID.id}, tax_key=GRID).verify(),
    ),
    (11, "PROVISION_DIFFERS", "two provisions of one source", supplied_twice),
    (11, "AUTHORIZATION_DIFFERS", "two consents for one source", consented_twice),
    (11, "PROVISION_DIFFERS", "consent without a provision", consented_in_vain),
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
