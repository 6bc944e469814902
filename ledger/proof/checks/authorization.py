"""Check 11: what a usage certificate rests on (template, request, authorizations, provisions), and nothing beyond it.

All of it was anchored no later than the certificate, under a template that the verifier accepts. Every claim is one
that a provider signed, within the authorization of its source, the request and the template; period, uses, channel and
parties are within theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.domain.days import DAY as _DAY
from ledger.domain.entries import statement_digest
from ledger.proof.bundle import Position
from ledger.proof.checks.case import Case, Entry, Proven
from ledger.proof.checks.outcome import Failed, Outcome, Passed, failed, passed
from ledger.proof.checks.statement_state import held_at, withdrawn_at
from ledger.proof.jws import entry_signature
from ledger.proof.sdjwt import disclosure_digest


@dataclass(frozen=True, slots=True)
class NamedEntries:
    """The entries that a certificate names, as proven parts of the log."""

    template: Entry
    request: Proven
    consents: Sequence[Proven]
    supplies: Sequence[Proven]

    @property
    def sources(self) -> Mapping[str, str]:
        """The source of each field that the template allows."""
        return {field["name"]: field["source"] for field in self.template["fields"]}


def check_authorization(case: Case) -> Outcome:
    """Each authorization is the subject's and in force, within the request of the consumer, within the template."""
    templates = case.expect.templates
    basis = _basis(case)
    if isinstance(basis, Failed):
        return basis
    problem = _accepted(case.claims, templates) or _template(case.claims, basis) or _request(case, basis)
    for consent in basis.consents:
        problem = (
            problem
            or _signed(case, consent, case.claims["sub"], "AUTHORIZATION_NOT_BY_SUBJECT")
            or _same_terms(case.claims, consent[0])
            or _within_request(consent[0], basis)
            or _in_force(case, consent[0])
            or _stands(case, consent, consent[0]["subject"])
        )
    problem = problem or _one_of_each_source(basis)
    for supply in basis.supplies:
        problem = (
            problem
            or _signed(case, supply, supply[0]["provider"], "PROVISION_NOT_BY_PROVIDER")
            or _rests_on_consent(case, supply[0])
            or _same_rules(case.claims, supply[0], basis)
            or _stands(case, supply, supply[0]["provider"])
        )
    return (
        problem
        or _components(case.claims, basis)
        or _claims(case, basis)
        or _rests_on(case.claims, compared=templates is not None)
    )


def _rests_on(claims: Entry, *, compared: bool) -> Passed:
    """Says which template it is: whoever named none to compare it with has the rules to look at."""
    end = "which the verifier accepts" if compared else "which the verifier compared with no scenario"
    return passed(
        f"{len(claims['authorizations'])} authorization(s) in force, {len(claims['provisions'])} provision(s) signed, "
        f"under the template {claims['template']}, {end}.",
        template=claims["template"],
        compared=compared,
    )


def _basis(case: Case) -> NamedEntries | Failed:
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
    return NamedEntries(template[0][0], request[0], consents, supplies)


def _named(case: Case, references: Sequence[str], kind: str) -> Sequence[Proven] | Failed:
    """What was anchored after the certificate proves nothing of the time when the certificate was issued."""
    found = []
    for named in references:
        if named not in case.entries or case.entries[named][0]["type"] != kind:
            return failed("EVIDENCE_MISSING", f"The bundle lacks a {kind} that the certificate rests on.")
        entry, evidence = case.entries[named]
        if _later_than_certificate(case, evidence.position):
            return failed("EVIDENCE_ANCHORED_LATER", f"The {kind} was anchored after the certificate that rests on it.")
        found.append((entry, evidence))
    return found


def _later_than_certificate(case: Case, position: Position) -> bool:
    own, at = case.anchored_at(case.bundle.position), case.anchored_at(position)
    return own is None or at is None or at > own


def _signed(case: Case, proven: Proven, party: str, code: str) -> Failed | None:
    entry, evidence = proven
    signature = entry_signature(entry)
    signature.suite.require()
    fact = case.account(signature.kid, case.anchored_at(evidence.position))
    if isinstance(fact, Failed):
        return fact
    if fact.party != party or not signature.signed_by(fact.key):
        return failed(code, f"The {entry['type']} is not signed by the party it names.")
    return None


def _accepted(claims: Entry, templates: frozenset[str] | None) -> Failed | None:
    """The issuer alone says that the template is what the scenario's file says: the verifier may know better."""
    if templates is not None and claims["template"] not in templates:
        return failed("TEMPLATE_NOT_EXPECTED", "The rules are not those of the scenario that the verifier knows.")
    return None


def _template(claims: Entry, basis: NamedEntries) -> Failed | None:
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


def _request(case: Case, basis: NamedEntries) -> Failed | None:
    """The request is the consumer's, made under the template, and the certificate stays within it."""
    claims, (request, _) = case.claims, basis.request
    problem = _signed(case, basis.request, claims["consumer"], "REQUEST_NOT_BY_CONSUMER")
    if problem is not None:
        return problem
    wanted = {
        "template": claims["template"],
        "subject": claims["sub"],
        "sd_alg": claims["_sd_alg"],
        **{name: claims[name] for name in ("scenario", "scenario_version", "consumer", "channel")},
    }
    for member, value in wanted.items():
        if request[member] != value:
            return failed("REQUEST_DIFFERS", f"The consumer asked with another {member}.", member=member)
    if outside := sorted(set(claims["fields"]) - set(request["fields"])):
        return failed("FIELD_OUTSIDE_REQUEST", f"The consumer did not ask for: {', '.join(outside)}.", fields=outside)
    if claims["max_uses"] > request["max_uses"]:
        return failed("REQUEST_DIFFERS", "The consumer asked for fewer uses.", member="max_uses")
    return None


def _same_terms(claims: Entry, entry: Entry) -> Failed | None:
    wanted = {
        "subject": claims["sub"],
        "request": claims["request"],
        "holder_key": claims["cnf"]["jwk"],
        **{name: claims[name] for name in ("consumer", "scenario", "scenario_version", "purpose", "channel")},
    }
    for member, value in wanted.items():
        if entry[member] != value:
            return failed("AUTHORIZATION_DIFFERS", f"The subject authorised another {member}.", member=member)
    if claims["max_uses"] > entry["max_uses"]:
        return failed("AUTHORIZATION_DIFFERS", "The subject authorised fewer uses.", member="max_uses")
    if claims["nbf"] < entry["valid_from"] or claims["exp"] > entry["valid_to"]:
        return failed("AUTHORIZATION_DIFFERS", "The subject authorised a shorter period.", member="valid_to")
    return None


def _within_request(entry: Entry, basis: NamedEntries) -> Failed | None:
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


def _in_force(case: Case, consent: Entry) -> Failed | None:
    if not consent["valid_from"] <= case.at < consent["valid_to"]:
        return failed("AUTHORIZATION_NOT_IN_FORCE", "The authorization is not in force at that time.")
    return None


def _stands(case: Case, proven: Proven, party: str) -> Failed | None:
    """Neither withdrawn by its party nor held by an office."""
    entry, kind = proven[0], proven[0]["type"]
    return withdrawn_at(case, proven, party, f"{kind.upper()}_WITHDRAWN") or held_at(
        case.facts, statement_digest(entry), case.at, kind, f"{kind.upper()}_HELD"
    )


def _one_of_each_source(basis: NamedEntries) -> Failed | None:
    sources = [entry["source"] for entry, _ in basis.consents]
    if len(set(sources)) != len(sources):
        return failed("AUTHORIZATION_DIFFERS", "Two authorizations are for one source.", member="source")
    return None


def _rests_on_consent(case: Case, supply: Entry) -> Failed | None:
    """It was supplied under one of the authorizations, by its provider and from its source, and no more than that."""
    if supply["result"] != "supplied" or supply["reason"] is not None:
        return failed("PROVISION_DIFFERS", "A provision supplied nothing.", member="result")
    if supply["authorization"] not in case.claims["authorizations"]:
        return failed("PROVISION_DIFFERS", "A provision rests on another authorization.", member="authorization")
    consent = case.entries[supply["authorization"]][0]
    for member in ("provider", "source"):
        if supply[member] != consent[member]:
            return failed("PROVISION_DIFFERS", f"The subject authorised another {member}.", member=member)
    if outside := sorted(supply["claims"].keys() - set(consent["fields"])):
        message = f"The subject did not authorise: {', '.join(outside)}."
        return failed("FIELD_OUTSIDE_AUTHORIZATION", message, fields=outside)
    return None


def _same_rules(claims: Entry, supply: Entry, basis: NamedEntries) -> Failed | None:
    """The provider computed the claims by the template's rules, each from its own source, and hid them by `_sd_alg`."""
    wanted = {"template": claims["template"], "engine": basis.template["engine"], "sd_alg": claims["_sd_alg"]}
    for member, value in wanted.items():
        if supply[member] != value:
            return failed("PROVISION_DIFFERS", f"A provision was made with another {member}.", member=member)
    if any(basis.sources.get(name) != supply["source"] for name in supply["claims"]):
        return failed("PROVISION_DIFFERS", "The scenario takes a claim from another source.", member="source")
    return None


def _components(claims: Entry, basis: NamedEntries) -> Failed | None:
    """Every authorization has one provision, every component is what one provision supplied."""
    supplies = [entry for entry, _ in basis.supplies]
    if sorted(entry["authorization"] for entry in supplies) != sorted(claims["authorizations"]):
        return failed("PROVISION_DIFFERS", "An authorization has no provision, or more than one.")
    same = ("source", "provider", "as_of", "payload_digest")
    supplied = [{name: entry[name] for name in same} | {"fields": sorted(entry["claims"])} for entry in supplies]
    components = [{name: component[name] for name in (*same, "fields")} for component in claims["components"]]
    if components != supplied or set(claims["providers"]) != {entry["provider"] for entry in supplies}:
        return failed("PROVISION_DIFFERS", "The certificate's components are not what was supplied.")
    return None


def _claims(case: Case, basis: NamedEntries) -> Failed | None:
    """The certificate has exactly the claims that providers signed, and each disclosed one is the one of its name."""
    signed = {name: digest for entry, _ in basis.supplies for name, digest in entry["claims"].items()}
    digests = [digest for entry, _ in basis.supplies for digest in entry["claims"].values()]
    if set(case.claims["fields"]) != signed.keys() or sorted(case.claims["_sd"]) != sorted(digests):
        return failed("CLAIMS_NOT_PROVIDED", "The certificate's claims are not exactly those that providers signed.")
    for item in case.presented.disclosures:
        if signed[item.name] != disclosure_digest(item.encoded, case.presented.algorithm):
            return failed("CLAIM_DIFFERS", f"The provider signed another value as {item.name}.", fields=[item.name])
    return None
