"""Functions that change the genuine bundle in one way each. They return a verifier's report on the changed bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ledger.domain.codes import certificate_no
from ledger.domain.entries import authorization_entry, provision_entry
from ledger.proof.jws import public_jwk, sign_entry
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    CHAIN,
    EXPECT,
    GRID,
    HIDDEN,
    OTHER_BANK,
    RULES,
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
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.made import Made

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
    """Return these claims in the form in which a provision contains them: as digests that the provider signs."""
    values = {"tax_arrears": 0} | HIDDEN
    return supply_members(TAX, "{}", "{}", salted({name: values[name] for name in names}))["claims"]


def anchored_later(index: int) -> Callable[[], Report]:
    """Anchor one evidence entry a second after the certificate, which is too late."""
    return GENUINE.anchoring(index, ANCHORED + 1).verify


def expecting(*templates: str) -> Expectation:
    return replace(EXPECT, templates=frozenset(templates))


def ruled(name: str, rule: Changes) -> list[dict[str, Any]]:
    """Return the template's fields; the field ``name`` gets the rule ``rule``."""
    return [field | ({"rule": rule} if field["name"] == name else {}) for field in template_members()["fields"]]


def knowing_anchors(changes: dict[Any, Any]) -> Report:
    known = {place: commitment for place, commitment in {**ANCHORS, **changes}.items() if commitment is not None}
    return GENUINE.knowing(anchors=known).verify()


def unheard_of(what: str) -> Report:
    """Remove one statement's item from the holds in the chain data, so that its holds are unknown."""
    holds = {
        statement: holds for statement, holds in GENUINE.facts.holds.items() if statement != GENUINE.statement(what)
    }
    return GENUINE.knowing(holds=holds).verify()


def withdrawals_of(actor: Actor) -> Report:
    """Remove from the chain data the withdrawals of all parties except ``actor``."""
    return GENUINE.knowing(
        withdrawals={key: at for key, at in GENUINE.facts.withdrawals.items() if key[0] == actor.id}
    ).verify()


def used_by_another() -> Report:
    return GENUINE.knowing(uses={}).used(by=OTHER_BANK).verify()


def undisclosed(drop: str) -> Report:
    """Remove one piece of evidence from a presentation that discloses no claim."""
    return GENUINE.presenting().verify_changed(drop=drop)


def supplied_for_the_grid() -> Report:
    """Let the tax office sign a claim whose source is the power grid; the subject consents to this."""
    fields = ruled("tax_trend", RULES["tax_trend"][1])
    moved = [field | ({"source": "power"} if field["name"] == "tax_trend" else {}) for field in fields]
    return usage(template={"fields": moved}).verify()


def exchanged() -> Report:
    """Exchange the names of two claims of the same kind before the provider signs them."""
    band = RULES["tax_band"][1]
    hidden = HIDDEN | {"tax_trend": "A"}
    made = usage(template={"fields": ruled("tax_trend", band)}, hidden=hidden)
    provided = next(dict(item.statement) for item in made.bundle.evidence if item.statement["type"] == "provision")
    swapped = dict(zip(provided["claims"], reversed(provided["claims"].values()), strict=True))
    return usage(template={"fields": ruled("tax_trend", band)}, hidden=hidden, supply={"claims": swapped}).verify()


def registered_in(scenario: str) -> Made:
    """Return a registration certificate that names a usage scenario. Its issuer is accredited for this scenario."""
    return registration(claims={"scenario": scenario, "certificate_no": certificate_no("440802", 2026, scenario, 1)})


TAXES: dict[str, Any] = {"hidden": {"tax_band": "B"}, "disclosed": ["tax_band"]}


def consented_in_vain() -> Report:
    """Let the certificate name the consent to the power grid, but no provision based on this consent."""
    claims = usage(**TAXES).claims
    return usage(
        **TAXES, claims={name: claims[name][:1] for name in ("providers", "provisions", "components")}
    ).verify()


def supplied_twice() -> Report:
    """Let the certificate use a provision of the tax office, and also the provision that corrects it."""
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
    """Use two consents to the tax office, each with a provision. It is then unclear to which of the consents a claim
    belongs.
    """
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
