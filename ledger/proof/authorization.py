"""Check 11: what a usage certificate rests on (template, request, authorizations, provisions), and nothing beyond it.

Fields = template ∩ request ∩ authorization of their source; the same holds for period, uses, channel and parties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ledger.proof.bundle import Evidence, Position
from ledger.proof.facts import AccountFact, Facts
from ledger.proof.jws import entry_signature
from ledger.proof.outcome import Failed, Outcome, failed, passed

Entry = dict[str, Any]
Proven = tuple[Entry, Evidence]
StatusAt = Callable[[Facts, Position, int], Outcome]
_DAY: Final = 86_400


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


@dataclass(frozen=True, slots=True)
class Basis:
    """The entries that a certificate names, as proven parts of the log."""

    template: Entry
    request: Proven
    consents: Sequence[Proven]
    supplies: Sequence[Proven]

    @property
    def sources(self) -> Mapping[str, str]:
        """The source of each field that the template allows."""
        return {field["name"]: field["source"] for field in self.template["fields"]}


def check_authorization(case: Case, status_at: StatusAt) -> Outcome:
    """Each authorization is the subject's and in force, within the request of the consumer, within the template."""
    basis = _basis(case)
    if isinstance(basis, Failed):
        return basis
    problem = _template(case.claims, basis) or _request(case, basis)
    for consent, evidence in basis.consents:
        problem = (
            problem
            or _signed(case, consent, evidence, case.claims["sub"], "AUTHORIZATION_NOT_BY_SUBJECT")
            or _same_terms(case.claims, consent)
            or _within_request(consent, basis)
            or _in_force(case, consent, evidence, status_at)
        )
    problem = problem or _covered(case.claims, basis)
    for supply, evidence in basis.supplies:
        problem = (
            problem
            or _signed(case, supply, evidence, supply["provider"], "PROVISION_NOT_BY_PROVIDER")
            or _rests_on_consent(case, supply)
        )
    return (
        problem
        or _components(case.claims, basis)
        or passed(f"{len(basis.consents)} authorization(s) in force, {len(basis.supplies)} provision(s) signed.")
    )


def _basis(case: Case) -> Basis | Failed:
    claims = case.claims
    found = [
        _named(case, [claims["template"]], "template"),
        _named(case, [claims["request"]], "request"),
        _named(case, claims["authorizations"], "authorization"),
        _named(case, claims["provisions"], "provision"),
    ]
    for part in found:
        if isinstance(part, Failed):
            return part
    template, request, consents, supplies = [part for part in found if not isinstance(part, Failed)]
    return Basis(template[0][0], request[0], consents, supplies)


def _named(case: Case, leaves: Sequence[str], kind: str) -> Sequence[Proven] | Failed:
    found = []
    for leaf in leaves:
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


def _template(claims: Entry, basis: Basis) -> Failed | None:
    """The template is that of the certificate's scenario, and the certificate stays within it."""
    template = basis.template
    for member in ("scenario", "scenario_version", "scenario_digest"):
        if template[member] != claims[member]:
            return failed("TEMPLATE_DIFFERS", f"The template is of another {member}.", member=member)
    if outside := sorted(set(claims["fields"]) - basis.sources.keys()):
        return failed("FIELD_OUTSIDE_TEMPLATE", f"The scenario does not allow: {', '.join(outside)}.", fields=outside)
    if claims["max_uses"] > template["max_uses"] or claims["channel"] not in template["channels"]:
        return failed("TEMPLATE_DIFFERS", "The scenario allows fewer uses, or another channel.", member="max_uses")
    version = f"{template['scenario']}/{template['scenario_version']}/engine-{template['engine']}"
    if any(component["rule_version"] != version for component in claims["components"]):
        return failed("TEMPLATE_DIFFERS", "A component was computed by other rules.", member="rule_version")
    if any(component["payload_mode"] != template["payload_mode"] for component in claims["components"]):
        return failed("TEMPLATE_DIFFERS", "A component is of another payload mode.", member="payload_mode")
    return None


def _request(case: Case, basis: Basis) -> Failed | None:
    """The request is the consumer's, made under the template, and the certificate stays within it."""
    claims, (request, evidence) = case.claims, basis.request
    problem = _signed(case, request, evidence, claims["consumer"], "REQUEST_NOT_BY_CONSUMER")
    if problem is not None:
        return problem
    told = {
        "template": claims["template"],
        "subject": claims["sub"],
        **{name: claims[name] for name in ("scenario", "scenario_version", "consumer", "channel")},
    }
    for member, value in told.items():
        if request[member] != value:
            return failed("REQUEST_DIFFERS", f"The consumer asked with another {member}.", member=member)
    if outside := sorted(set(claims["fields"]) - set(request["fields"])):
        return failed("FIELD_OUTSIDE_REQUEST", f"The consumer did not ask for: {', '.join(outside)}.", fields=outside)
    if claims["max_uses"] > request["max_uses"]:
        return failed("REQUEST_DIFFERS", "The consumer asked for fewer uses.", member="max_uses")
    return None


def _same_terms(claims: Entry, entry: Entry) -> Failed | None:
    told = {
        "subject": claims["sub"],
        "request": claims["request"],
        "holder_key": claims["cnf"]["jwk"],
        **{name: claims[name] for name in ("consumer", "scenario", "scenario_version", "purpose", "channel")},
    }
    for member, value in told.items():
        if entry[member] != value:
            return failed("AUTHORIZATION_DIFFERS", f"The subject authorised another {member}.", member=member)
    if claims["max_uses"] > entry["max_uses"]:
        return failed("AUTHORIZATION_DIFFERS", "The subject authorised fewer uses.", member="max_uses")
    if claims["nbf"] < entry["valid_from"] or claims["exp"] > entry["valid_to"]:
        return failed("AUTHORIZATION_DIFFERS", "The subject authorised a shorter period.", member="valid_to")
    return None


def _within_request(entry: Entry, basis: Basis) -> Failed | None:
    """The subject answered this request, in time, and no consent goes beyond it or beyond the template."""
    request, template = basis.request[0], basis.template
    if {"source": entry["source"], "provider": entry["provider"]} not in request["sources"]:
        return failed("AUTHORIZATION_BEYOND_REQUEST", "The consumer asked for another provider.", member="provider")
    if entry["valid_from"] < request["valid_from"] or entry["valid_to"] > request["valid_to"]:
        return failed("AUTHORIZATION_BEYOND_REQUEST", "The consumer asked for a shorter period.", member="valid_to")
    if entry["valid_to"] - entry["valid_from"] > template["max_validity_days"] * _DAY:
        return failed("AUTHORIZATION_BEYOND_TEMPLATE", "The scenario allows a shorter period.", member="valid_to")
    if entry["iat"] >= request["expires_at"]:
        return failed("AUTHORIZATION_BEYOND_REQUEST", "The request had expired when it was answered.", member="iat")
    if template["legal_basis"] == "separate_consent" and not entry["separate_consent"]:
        return failed("SEPARATE_CONSENT_MISSING", "The person did not consent to this separately.")
    return None


def _in_force(case: Case, entry: Entry, evidence: Evidence, status_at: StatusAt) -> Failed | None:
    if not entry["valid_from"] <= case.at < entry["valid_to"]:
        return failed("AUTHORIZATION_NOT_IN_FORCE", "The authorization is not in force at that time.")
    history = case.facts.withdrawals.get(evidence.position)
    own = [each.at for each in history or () if each.party == entry["subject"] and each.at <= case.at]
    if own:
        message = "The subject withdrew its authorization on the chain by itself."
        return failed("AUTHORIZATION_WITHDRAWN", message, since=min(own), by_subject=True)
    outcome = status_at(case.facts, evidence.position, case.at)
    if isinstance(outcome, Failed):
        withdrawn = outcome.code == "REVOKED"
        code = "AUTHORIZATION_WITHDRAWN" if withdrawn else f"AUTHORIZATION_{outcome.code}"
        message = "The subject withdrew its authorization." if withdrawn else outcome.message
        return failed(code, message, **outcome.details)
    if history is None:
        return failed("AUTHORIZATION_WITHDRAWALS_UNKNOWN", "The facts do not say whether its subject withdrew it.")
    return None


def _covered(claims: Entry, basis: Basis) -> Failed | None:
    """Every field was authorised for its own source, every source once."""
    authorised: dict[str, Sequence[str]] = {}
    for entry, _ in basis.consents:
        if entry["source"] in authorised:
            return failed("AUTHORIZATION_DIFFERS", "Two authorizations are for one source.", member="source")
        authorised[entry["source"]] = entry["fields"]
    outside = [name for name in claims["fields"] if name not in authorised.get(basis.sources[name], ())]
    if outside:
        told = ", ".join(sorted(outside))
        return failed("FIELD_OUTSIDE_AUTHORIZATION", f"The subject did not authorise: {told}.", fields=sorted(outside))
    if not set(claims["providers"]) <= {entry["provider"] for entry, _ in basis.consents}:
        return failed("PROVIDER_NOT_AUTHORIZED", "A provider is not one that the subject named.")
    return None


def _rests_on_consent(case: Case, entry: Entry) -> Failed | None:
    supplied = entry["result"] == "supplied" and entry["reason"] is None
    if entry["authorization"] not in case.claims["authorizations"] or not supplied:
        return failed("PROVISION_DIFFERS", "A provision rests on another authorization, or supplied nothing.")
    consent = case.entries[entry["authorization"]][0]
    same = (entry["provider"], entry["source"]) == (consent["provider"], consent["source"])
    if not same or not set(entry["fields"]) <= set(consent["fields"]):
        return failed("PROVISION_DIFFERS", "A provision goes beyond its authorization.")
    return None


def _components(claims: Entry, basis: Basis) -> Failed | None:
    """Every component is what one provision supplied, every claim comes from the component of its source."""
    told = ("source", "provider", "fields", "as_of", "payload_digest")
    supplies = [entry for entry, _ in basis.supplies]
    if sorted(entry["authorization"] for entry in supplies) != sorted(claims["authorizations"]):
        return failed("PROVISION_DIFFERS", "An authorization has no provision, or more than one.")
    supplied = [[entry[name] for name in told] for entry in supplies]
    components = [[component[name] for name in told] for component in claims["components"]]
    if components != supplied or set(claims["providers"]) != {entry["provider"] for entry in supplies}:
        return failed("PROVISION_DIFFERS", "The certificate's components are not what was supplied.")
    from_source = {(entry["source"], name) for entry in supplies for name in entry["fields"]}
    if any((basis.sources[name], name) not in from_source for name in claims["fields"]):
        return failed("PROVISION_DIFFERS", "A claim comes from no provision of its source.")
    return None
