# SPDX-License-Identifier: Apache-2.0
"""Check 11: everything in a usage certificate is covered by its template, request, authorizations and provisions.

These entries were anchored no later than the certificate, and the verifier accepts the template. A provider signed
every claim. The authorization for the claim's source, the request and the template allow the claim, and allow the
certificate's period, uses, channel and parties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.domain.days import DAY as _DAY
from ledger.proof.bundle import Position
from ledger.proof.checks.case import Case, Entry, Proven
from ledger.proof.checks.outcome import Failed, Outcome, Passed, failed, passed
from ledger.proof.checks.statement_state import held_at, withdrawn_at
from ledger.proof.jws import entry_signature
from ledger.proof.sdjwt import disclosure_digest


@dataclass(frozen=True, slots=True)
class NamedEntries:
    """The entries that a certificate names; each is proven to be in the log."""

    template: Entry
    request: Proven
    consents: Sequence[Proven]
    supplies: Sequence[Proven]

    @property
    def sources(self) -> Mapping[str, str]:
        """Maps each field of the template to its source."""
        return {field["name"]: field["source"] for field in self.template["fields"]}


def check_authorization(case: Case) -> Outcome:
    """Return the first failure of check 11, or the passed check."""
    templates = case.expect.templates
    basis = _basis(case)
    if isinstance(basis, Failed):
        return basis
    problem = _accepted(case.claims, templates) or _template(case.claims, basis) or _request(case, basis)
    for consent in basis.consents:
        problem = (
            problem
            or _signed(case, consent, case.claims["sub"], "AUTHORIZATION_NOT_BY_SUBJECT")
            or _same_terms(case.claims, consent.entry)
            or _within_request(consent.entry, basis)
            or _in_force(case, consent.entry)
            or _withdrawn_or_held(case, consent, consent.entry["subject"])
        )
    problem = problem or _one_of_each_source(basis)
    for supply in basis.supplies:
        problem = (
            problem
            or _signed(case, supply, supply.entry["provider"], "PROVISION_NOT_BY_PROVIDER")
            or _rests_on_consent(case, supply.entry)
            or _same_rules(case.claims, supply.entry, basis)
            or _withdrawn_or_held(case, supply, supply.entry["provider"])
        )
    return (
        problem
        or _components(case.claims, basis)
        or _claims(case, basis)
        or _passed(case.claims, compared=templates is not None)
    )


def _passed(claims: Entry, *, compared: bool) -> Passed:
    """Return the passed check. It names the template, so that a verifier who did not compare the template can read the
    template's rules.
    """
    end = "which the verifier accepts" if compared else "which the verifier has not compared with a scenario"
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
    return NamedEntries(template[0].entry, request[0], consents, supplies)


def _named(case: Case, references: Sequence[str], kind: str) -> Sequence[Proven] | Failed:
    """Return the entries with these references; fail if an entry is missing or was anchored after the certificate."""
    found = []
    for named in references:
        proven = case.entries.get(named)
        if proven is None or proven.entry["type"] != kind:
            return failed("EVIDENCE_MISSING", f"A {kind} that the certificate names is not in the bundle.")
        if _later_than_certificate(case, proven.evidence.position):
            return failed("EVIDENCE_ANCHORED_LATER", f"The {kind} was anchored later than the certificate.")
        found.append(proven)
    return found


def _later_than_certificate(case: Case, position: Position) -> bool:
    own, at = case.anchored_at(case.bundle.position), case.anchored_at(position)
    return own is None or at is None or at > own


def _signed(case: Case, proven: Proven, party: str, code: str) -> Failed | None:
    signature = entry_signature(proven.entry, proven.unsigned)
    signature.suite.require()
    fact = case.account(signature.kid, case.anchored_at(proven.evidence.position))
    if isinstance(fact, Failed):
        return fact
    if fact.party != party or not signature.signed_by(fact.key):
        return failed(code, f"The {proven.entry['type']} is not signed by the party it names.")
    return None


def _accepted(claims: Entry, templates: frozenset[str] | None) -> Failed | None:
    """Fail if the verifier named the templates that it accepts, and the certificate's template is not among them."""
    if templates is not None and claims["template"] not in templates:
        return failed("TEMPLATE_NOT_EXPECTED", "The template is not one that the verifier accepts.")
    return None


def _template(claims: Entry, basis: NamedEntries) -> Failed | None:
    """Check that the template belongs to the certificate's scenario and allows what the certificate contains."""
    template = basis.template
    for member in ("scenario", "scenario_version", "scenario_digest"):
        if template[member] != claims[member]:
            return failed(
                "TEMPLATE_DIFFERS",
                f"The template and the certificate have different values of {member}.",
                member=member,
            )
    if outside := sorted(set(claims["fields"]) - basis.sources.keys()):
        message = f"The scenario does not allow these fields: {', '.join(outside)}."
        return failed("FIELD_OUTSIDE_TEMPLATE", message, fields=outside)
    if claims["max_uses"] > template["max_uses"] or claims["channel"] not in template["channels"]:
        return failed(
            "TEMPLATE_DIFFERS",
            "The certificate allows more uses than the scenario, or has a channel that the scenario does not allow.",
            member="max_uses",
        )
    version = f"{template['scenario']}/{template['scenario_version']}/engine-{template['engine']}"
    if any(component["rule_version"] != version for component in claims["components"]):
        return failed(
            "TEMPLATE_DIFFERS",
            "A component was computed with other rules than those of the template.",
            member="rule_version",
        )
    if any(component["payload_mode"] != template["payload_mode"] for component in claims["components"]):
        return failed(
            "TEMPLATE_DIFFERS", "A component has another payload mode than the template.", member="payload_mode"
        )
    return None


def _request(case: Case, basis: NamedEntries) -> Failed | None:
    """Check that the consumer signed a request that names the template, and that the certificate stays within the
    request.
    """
    claims, request = case.claims, basis.request.entry
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
            return failed(
                "REQUEST_DIFFERS", f"The request and the certificate have different values of {member}.", member=member
            )
    if outside := sorted(set(claims["fields"]) - set(request["fields"])):
        message = f"The consumer did not request these fields: {', '.join(outside)}."
        return failed("FIELD_OUTSIDE_REQUEST", message, fields=outside)
    if claims["max_uses"] > request["max_uses"]:
        return failed(
            "REQUEST_DIFFERS", "The certificate allows more uses than the consumer requested.", member="max_uses"
        )
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
            return failed(
                "AUTHORIZATION_DIFFERS",
                f"The authorization and the certificate have different values of {member}.",
                member=member,
            )
    if claims["max_uses"] > entry["max_uses"]:
        return failed(
            "AUTHORIZATION_DIFFERS", "The certificate allows more uses than the subject authorised.", member="max_uses"
        )
    if claims["nbf"] < entry["valid_from"] or claims["exp"] > entry["valid_to"]:
        return failed(
            "AUTHORIZATION_DIFFERS",
            "The certificate is valid for a longer period than the subject authorised.",
            member="valid_to",
        )
    return None


def _within_request(entry: Entry, basis: NamedEntries) -> Failed | None:
    """Check that the subject answered the request in time, and that the request and the template allow the
    authorization.
    """
    request, template = basis.request.entry, basis.template
    if {"source": entry["source"], "provider": entry["provider"]} not in request["sources"]:
        return failed(
            "AUTHORIZATION_BEYOND_REQUEST", "The consumer did not request data from this provider.", member="provider"
        )
    if entry["valid_from"] < request["valid_from"] or entry["valid_to"] > request["valid_to"]:
        return failed(
            "AUTHORIZATION_BEYOND_REQUEST",
            "The authorization covers a longer period than the consumer requested.",
            member="valid_to",
        )
    if entry["valid_to"] - entry["valid_from"] > template["max_validity_days"] * _DAY:
        return failed(
            "AUTHORIZATION_BEYOND_TEMPLATE",
            "The authorization is valid for longer than the scenario allows.",
            member="valid_to",
        )
    if entry["iat"] >= request["expires_at"]:
        message = "The request had expired when the subject answered it."
        return failed("AUTHORIZATION_BEYOND_REQUEST", message, member="iat")
    if template["legal_basis"] == "separate_consent" and not entry["separate_consent"]:
        return failed("SEPARATE_CONSENT_MISSING", "The scenario requires a separate consent, and there is none.")
    return None


def _in_force(case: Case, consent: Entry) -> Failed | None:
    if not consent["valid_from"] <= case.at < consent["valid_to"]:
        message = "The authorization is not in force at the time for which the certificate is judged."
        return failed("AUTHORIZATION_NOT_IN_FORCE", message)
    return None


def _withdrawn_or_held(case: Case, proven: Proven, party: str) -> Failed | None:
    kind = proven.entry["type"]
    return withdrawn_at(case, proven, party, f"{kind.upper()}_WITHDRAWN") or held_at(
        case.facts, proven.statement, case.at, kind, f"{kind.upper()}_HELD"
    )


def _one_of_each_source(basis: NamedEntries) -> Failed | None:
    sources = [entry["source"] for entry, *_ in basis.consents]
    if len(set(sources)) != len(sources):
        return failed("AUTHORIZATION_DIFFERS", "Two authorizations are for the same source.", member="source")
    return None


def _rests_on_consent(case: Case, supply: Entry) -> Failed | None:
    """Check that an authorization of the certificate allows the provision's provider, source and fields."""
    if supply["result"] != "supplied" or supply["reason"] is not None:
        return failed("PROVISION_DIFFERS", "A provision that the certificate names supplied no data.", member="result")
    if supply["authorization"] not in case.claims["authorizations"]:
        return failed(
            "PROVISION_DIFFERS",
            "A provision names an authorization that the certificate does not name.",
            member="authorization",
        )
    consent = case.entries[supply["authorization"]].entry
    for member in ("provider", "source"):
        if supply[member] != consent[member]:
            return failed(
                "PROVISION_DIFFERS",
                f"The provision and the authorization have different values of {member}.",
                member=member,
            )
    if outside := sorted(supply["claims"].keys() - set(consent["fields"])):
        message = f"The subject did not authorise these fields: {', '.join(outside)}."
        return failed("FIELD_OUTSIDE_AUTHORIZATION", message, fields=outside)
    return None


def _same_rules(claims: Entry, supply: Entry, basis: NamedEntries) -> Failed | None:
    """Check that claims were computed by the template's rules from the right source, and hashed with `_sd_alg`."""
    wanted = {"template": claims["template"], "engine": basis.template["engine"], "sd_alg": claims["_sd_alg"]}
    for member, value in wanted.items():
        if supply[member] != value:
            return failed(
                "PROVISION_DIFFERS",
                f"The provision and the certificate have different values of {member}.",
                member=member,
            )
    if any(basis.sources.get(name) != supply["source"] for name in supply["claims"]):
        message = "In the scenario, a claim of this provision comes from another source."
        return failed("PROVISION_DIFFERS", message, member="source")
    return None


def _components(claims: Entry, basis: NamedEntries) -> Failed | None:
    """Check that every authorization has exactly one provision, and that the certificate's components match the
    provisions.
    """
    supplies = [entry for entry, *_ in basis.supplies]
    if sorted(entry["authorization"] for entry in supplies) != sorted(claims["authorizations"]):
        return failed("PROVISION_DIFFERS", "An authorization has no provision, or more than one.")
    same = ("source", "provider", "as_of", "payload_digest")
    supplied = [{name: entry[name] for name in same} | {"fields": sorted(entry["claims"])} for entry in supplies]
    components = [{name: component[name] for name in (*same, "fields")} for component in claims["components"]]
    if components != supplied or set(claims["providers"]) != {entry["provider"] for entry in supplies}:
        return failed("PROVISION_DIFFERS", "The certificate's components do not match the provisions.")
    return None


def _claims(case: Case, basis: NamedEntries) -> Failed | None:
    """Check that the providers signed exactly the claims of the certificate, and that each disclosed value was signed
    under the name with which it is disclosed.
    """
    signed = {name: digest for entry, *_ in basis.supplies for name, digest in entry["claims"].items()}
    digests = [digest for entry, *_ in basis.supplies for digest in entry["claims"].values()]
    if set(case.claims["fields"]) != signed.keys() or sorted(case.claims["_sd"]) != sorted(digests):
        return failed("CLAIMS_NOT_PROVIDED", "The certificate's claims are not exactly those that providers signed.")
    for item in case.presented.disclosures:
        if signed[item.name] != disclosure_digest(item.encoded, case.presented.algorithm):
            message = f"The provider signed another value for {item.name}."
            return failed("CLAIM_DIFFERS", message, fields=[item.name])
    return None
