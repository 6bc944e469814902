"""Cases for comparing the verifiers: the contents of a certificate and of its evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from ledger.proof.report import Report
from tests.proof.second.cases.rules import RULES, VALUES
from tests.proof.second.entries import CERTIFICATES
from tests.proof.second.values import fits
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    CONSENTED,
    EXPECT,
    EXPIRES,
    GRID,
    HIDDEN,
    ISSUED,
    OTHER_ISSUER,
    SUBJECT,
    TAX,
    Entry,
    template_members,
)
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.made import Made

CLAIMS = GENUINE.claims
DAY = 86_400
NAMES = sorted(
    {
        "type",
        "v",
        "ledger",
        "status",
        "aud",
        "jwk",
        "nonce",
        "exp2",
        *CERTIFICATES["usage"],
        *CERTIFICATES["registration"],
    }
)


def from_source(source: str, *names: str) -> list[Entry]:
    """Return the template's fields; the fields in ``names`` get the source ``source``."""
    return [field | ({"source": source} if field["name"] in names else {}) for field in template_members()["fields"]]


def reordered() -> Iterator[Made]:
    """Yield certificates in which the items of a list are in a changed order. Only the list of components must have a
    fixed order: that of the provisions.
    """
    for names in (
        ["fields"],
        ["_sd"],
        ["providers"],
        ["authorizations"],
        ["provisions"],
        ["components"],
        ["provisions", "components"],
    ):
        yield usage(claims={name: CLAIMS[name][::-1] for name in names})
    yield usage(
        request={
            "fields": [*reversed(HIDDEN)],
            "sources": [{"source": "power", "provider": GRID.id}, {"source": "tax", "provider": TAX.id}],
        }
    )
    yield usage(template={"fields": template_members()["fields"][::-1]})
    yield usage(consent={"fields": ["tax_trend", "tax_band"]})


def counted() -> Iterator[Made]:
    """Yield certificates with one more or one fewer item in a list."""
    for name in ("fields", "_sd", "providers", "authorizations", "provisions", "components"):
        yield usage(claims={name: CLAIMS[name][:-1]})
        yield usage(claims={name: CLAIMS[name][1:]})
    yield usage(claims={"components": [*CLAIMS["components"], CLAIMS["components"][0]]})
    yield usage(claims={name: CLAIMS[name][:1] for name in ("authorizations", "provisions", "components", "providers")})
    first, second = CLAIMS["components"]
    for fields in (["tax_band"], ["tax_trend", "tax_band"], ["power_trend", "tax_band", "tax_trend"]):
        yield usage(claims={"components": [first | {"fields": fields}, second]})


def at_a_boundary() -> Iterator[Made]:
    for step in (-1, 0, 1):
        yield usage(consent={"valid_from": ISSUED + step})
        yield usage(consent={"valid_to": EXPIRES + step}, request={"valid_to": EXPIRES + step})
        yield usage(consent={"valid_to": EXPIRES + step})
        yield usage(request={"valid_from": CONSENTED + step})
        yield usage(request={"valid_to": EXPIRES + step})
        yield usage(request={"expires_at": CONSENTED + step})
        yield usage(claims={"exp": EXPIRES + step})
        yield usage(claims={"nbf": CONSENTED + step})
        yield usage(consent={"valid_to": AT + step}, claims={"exp": AT + step})
        yield usage(consent={"valid_from": AT + step}, claims={"nbf": AT + step})
        for name in ("template", "request", "consent"):
            uses: dict[str, Any] = {name: {"max_uses": 3 + step}}
            yield usage(**uses)
        yield usage(template={"engine": 2 + step}, claims={"components": by_engine(2 + step)})
        yield usage(
            template={"engine": 2 + step}, supply={"engine": 2 + step}, claims={"components": by_engine(2 + step)}
        )


def by_engine(engine: int) -> list[Entry]:
    return [component | {"rule_version": f"S51/1/engine-{engine}"} for component in CLAIMS["components"]]


def of_a_source() -> Iterator[Made]:
    """Yield certificates in which consent, provision and template name the same source for a claim, or different
    sources.
    """
    taxes = ("tax_band", "tax_trend")
    for fields in (from_source("power", *taxes), from_source("power", "tax_trend"), from_source("land", *taxes)):
        yield usage(template={"fields": fields})
        for source in ("power", "land"):
            yield usage(template={"fields": fields}, supply={"source": source})
            yield usage(template={"fields": fields}, supply={"source": source}, consent={"source": source})
            sources = [{"source": source, "provider": TAX.id}, {"source": "power", "provider": GRID.id}]
            parts: dict[str, Any] = {
                "supply": {"source": source},
                "consent": {"source": source},
                "request": {"sources": sources},
            }
            yield usage(template={"fields": fields}, **parts)
    for field in ("tax_band", "tax_trend", "power_trend"):
        yield usage(template={"fields": [each for each in template_members()["fields"] if each["name"] != field]})
        yield usage(request={"fields": [name for name in HIDDEN if name != field]})
    yield usage(consent={"fields": ["tax_band", "tax_trend", "tax_arrears", "power_trend"]})
    yield usage(consent={"fields": ["tax_band"]})
    yield usage(supply={"provider": GRID.id})
    yield usage(supply={"provider": SUBJECT.id}, tax_key=SUBJECT)
    yield usage(consent={"separate_consent": False}, template={"legal_basis": "contract"})
    yield usage(consent={"separate_consent": True}, template={"legal_basis": "separate_consent"})
    yield usage(consent={"separate_consent": False}, template={"legal_basis": "separate_consent"})
    for reason, result in ((None, "supplied"), ("disputed", "supplied"), (None, "no_data"), (None, "timed_out")):
        yield usage(supply={"reason": reason, "result": result})


def disclosed() -> Iterator[Made]:
    """Yield certificates in which a claim has another value or rule, or in which another entry is the template."""
    values: list[Any] = ["A", "D", 1, True, None, [], {}, "湛"]
    for value in values:
        made = usage(hidden=HIDDEN | {"tax_band": value})
        yield from (made, made.presenting("power_trend"), made.presenting())
    rules: list[Entry] = [{"op": "latest"}, {"op": []}, {"x": 1}, {"op": "equals", "column": "x"}]
    for rule in rules:
        made = usage(template={"fields": ruled("tax_band", rule)})
        yield from (made, made.presenting("power_trend"))
    for other in ("request", "authorizations", "provisions"):
        reference = CLAIMS[other] if isinstance(CLAIMS[other], str) else CLAIMS[other][0]
        made = usage(claims={"template": reference})
        yield from (made, made.presenting())
    made = usage(claims={"template": "sha-256:" + "77" * 32})
    yield from (made, made.presenting())
    yield usage(claims={"request": CLAIMS["template"]}, consent={"request": CLAIMS["template"]})
    yield usage(claims={"authorizations": [CLAIMS["request"]]})
    yield usage(claims={"provisions": CLAIMS["authorizations"]})


def anchored() -> Iterator[Made]:
    """Yield certificates whose evidence was anchored before the certificate, at the same time, and after it."""
    for place in range(len(GENUINE.bundle.evidence)):
        for at in (ANCHORED - 1, ANCHORED, ANCHORED + 1):
            yield from (GENUINE.anchoring(place, at), GENUINE.anchoring(place, at, OTHER_ISSUER))


def in_modes() -> Iterator[Made]:
    """Yield certificates for each combination of a claim's op and a template's payload mode, with the claim disclosed
    and not disclosed.
    """
    for rule in RULES:
        value = next(value for value in VALUES if fits(rule, value))
        fields = ruled("tax_band", rule)
        for mode in ("raw", "aggregate", "predicate", "component"):
            components = [component | {"payload_mode": mode} for component in CLAIMS["components"]]
            made = usage(
                template={"payload_mode": mode, "fields": fields},
                hidden=HIDDEN | {"tax_band": value},
                claims={"components": components},
            )
            yield from (made.presenting("tax_band"), made.presenting())


def ruled(name: str, rule: Entry) -> list[Entry]:
    return [field | ({"rule": rule} if field["name"] == name else {}) for field in template_members()["fields"]]


TEMPLATE = CLAIMS["template"]
OTHER = "sha-256:" + "77" * 32
ACCEPTED: list[frozenset[str] | None] = [
    *(None, frozenset(), frozenset({TEMPLATE}), frozenset({OTHER}), frozenset({TEMPLATE, OTHER})),
    *(frozenset({TEMPLATE.removeprefix("sha-256:")}), frozenset({TEMPLATE.upper()}), frozenset({CLAIMS["request"]})),
]


def named(name: str) -> Made:
    return usage(hidden=HIDDEN | {name: 1})


CONTENTS: dict[str, Callable[[], Report]] = (
    {
        f"{what.__name__} {place}": made.verify
        for what in (reordered, counted, at_a_boundary, of_a_source, disclosed, anchored, in_modes)
        for place, made in zip(count(), what())
    }
    | {
        f"{name} to whom accepts template {place}": lambda made=made, accepted=accepted: made.verify(
            expect=replace(EXPECT, templates=accepted)
        )
        for name, made in (("usage", GENUINE), ("registration", registration()))
        for place, accepted in enumerate(ACCEPTED)
    }
    | {f"field named {name}": lambda name=name: named(name).verify() for name in NAMES if not name.startswith("_")}
)
