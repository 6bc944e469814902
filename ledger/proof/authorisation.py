"""Check 11: the consents and provisions that a usage certificate rests on, and nothing beyond them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ledger.proof.bundle import Evidence, Position
from ledger.proof.facts import AccountFact, Facts
from ledger.proof.jws import entry_signature
from ledger.proof.outcome import Failed, Outcome, failed, passed

Entry = dict[str, Any]
StatusAt = Callable[[Facts, Position, int], Outcome]


class Case(Protocol):
    """What this check looks at; ``verifier.Case`` is one."""

    @property
    def claims(self) -> Entry: ...
    @property
    def facts(self) -> Facts: ...
    @property
    def at(self) -> int: ...
    @property
    def entries(self) -> Mapping[str, tuple[Entry, Evidence]]: ...
    def anchored_at(self, position: Position) -> int | None: ...
    def account(self, account: str, at: int | None) -> AccountFact | Failed: ...


def check_authorisation(case: Case, status_at: StatusAt) -> Outcome:
    """Each authorisation is the subject's, in force and covers the certificate; each provision rests on one of them."""
    consents = _named(case, "authorizations", "authorization")
    supplies = _named(case, "provisions", "provision")
    if isinstance(consents, Failed):
        return consents
    if isinstance(supplies, Failed):
        return supplies
    for entry, evidence in consents:
        problem = (
            _signed(case, entry, evidence, case.claims["sub"], "AUTHORISATION_NOT_BY_SUBJECT")
            or _same_terms(case, entry)
            or _in_force(case, entry, evidence, status_at)
        )
        if problem is not None:
            return problem
    problem = _covered(case.claims, [entry for entry, _ in consents])
    if problem is not None:
        return problem
    for entry, evidence in supplies:
        problem = _signed(case, entry, evidence, entry["provider"], "PROVISION_NOT_BY_PROVIDER") or _rests_on_consent(
            case, entry
        )
        if problem is not None:
            return problem
    return _components(case, [entry for entry, _ in supplies]) or passed(
        f"{len(consents)} authorisation(s) in force, {len(supplies)} provision(s) signed."
    )


def _named(case: Case, claim: str, kind: str) -> Sequence[tuple[Entry, Evidence]] | Failed:
    found = []
    for leaf in case.claims[claim]:
        if leaf not in case.entries or case.entries[leaf][0]["type"] != kind:
            return failed("EVIDENCE_MISSING", f"The bundle lacks a {kind} that the certificate rests on.")
        found.append(case.entries[leaf])
    return found


def _signed(case: Case, entry: Entry, evidence: Evidence, party: str, code: str) -> Failed | None:
    signature = entry_signature(entry)
    signature.suite.require()
    fact = case.account(signature.kid, case.anchored_at(evidence.position))
    if isinstance(fact, Failed):
        return fact
    if fact.party != party or not signature.signed_by(fact.key):
        return failed(code, f"The {entry['type']} is not signed by the party it names.")
    return None


def _same_terms(case: Case, entry: Entry) -> Failed | None:
    claims = case.claims
    for member, claim in (
        ("subject", "sub"),
        ("consumer", "consumer"),
        ("scenario", "scenario"),
        ("scenario_version", "scenario_version"),
        ("purpose", "purpose"),
        ("channel", "channel"),
    ):
        if entry[member] != claims[claim]:
            return failed("AUTHORISATION_DIFFERS", f"The subject authorised another {member}.", member=member)
    if claims["max_uses"] > entry["max_uses"]:
        return failed("AUTHORISATION_DIFFERS", "The subject authorised fewer uses.", member="max_uses")
    if claims["nbf"] < entry["valid_from"] or claims["exp"] > entry["valid_to"]:
        return failed("AUTHORISATION_DIFFERS", "The subject authorised a shorter period.", member="valid_to")
    return None


def _in_force(case: Case, entry: Entry, evidence: Evidence, status_at: StatusAt) -> Failed | None:
    if not entry["valid_from"] <= case.at < entry["valid_to"]:
        return failed("AUTHORISATION_NOT_IN_FORCE", "The authorisation is not in force at that time.")
    outcome = status_at(case.facts, evidence.position, case.at)
    if isinstance(outcome, Failed):
        withdrawn = outcome.code == "REVOKED"
        code = "AUTHORISATION_WITHDRAWN" if withdrawn else f"AUTHORISATION_{outcome.code}"
        message = "The subject withdrew its authorisation." if withdrawn else outcome.message
        return failed(code, message, **outcome.details)
    return None


def _covered(claims: Entry, consents: Sequence[Entry]) -> Failed | None:
    authorised = {name for entry in consents for name in entry["fields"]}
    if outside := sorted(set(claims["fields"]) - authorised):
        return failed(
            "FIELD_OUTSIDE_AUTHORISATION", f"The subject did not authorise: {', '.join(outside)}.", fields=outside
        )
    providers = {provider for entry in consents for provider in entry["providers"]}
    if not set(claims["providers"]) <= providers:
        return failed("PROVIDER_NOT_AUTHORISED", "A provider is not one that the subject named.")
    return None


def _rests_on_consent(case: Case, entry: Entry) -> Failed | None:
    if entry["authorization"] not in case.claims["authorizations"] or entry["result"] != "supplied":
        return failed("PROVISION_DIFFERS", "A provision rests on another authorisation, or supplied nothing.")
    consent = case.entries[entry["authorization"]][0]
    if entry["provider"] not in consent["providers"] or not set(entry["fields"]) <= set(consent["fields"]):
        return failed("PROVISION_DIFFERS", "A provision goes beyond its authorisation.")
    return None


def _components(case: Case, supplies: Sequence[Entry]) -> Failed | None:
    """Every component is what one provision supplied, every claim comes from a component."""
    told = ("provider", "fields", "as_of", "payload_digest")
    supplied = [[entry[name] for name in told] for entry in supplies]
    components = [[component[name] for name in told] for component in case.claims["components"]]
    if components != supplied or sorted(case.claims["providers"]) != sorted(entry["provider"] for entry in supplies):
        return failed("PROVISION_DIFFERS", "The certificate's components are not what was supplied.")
    if not set(case.claims["fields"]) <= {name for entry in supplies for name in entry["fields"]}:
        return failed("PROVISION_DIFFERS", "A claim comes from no provision.")
    return None
