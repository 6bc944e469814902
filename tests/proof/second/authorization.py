"""§9, check 11, paragraph by paragraph."""

from __future__ import annotations

from tests.proof.second.facts import Case
from tests.proof.second.notation import Json, require
from tests.proof.second.signatures import read_detached


def check_11_authorization(case: Case) -> None:
    if not case.usage:
        return
    [(template, _)] = rested_on(case, [case.claims["template"]], "template")
    [(request, place)] = rested_on(case, [case.claims["request"]], "request")
    consents = rested_on(case, case.claims["authorizations"], "authorization")
    provisions = rested_on(case, case.claims["provisions"], "provision")
    require_template(case.claims, template)
    require_signed(case, request, place, case.claims["consumer"])
    require_request(case.claims, request)
    for consent, place in consents:
        require_signed(case, consent, place, case.claims["sub"])
        require_consent(case.claims, consent)
        require_within_request(consent, request, template)
        require_in_force(case, consent, place)
    for provision, place in provisions:
        require_signed(case, provision, place, provision["provider"])
        require_provision(case, provision)
    require_sources(case.claims, template, [consent for consent, _ in consents])
    require_components(case.claims, template, [provision for provision, _ in provisions])


def rested_on(case: Case, leaves: list[str], kind: str) -> list[tuple[Json, Json]]:
    require(all(each in case.evidence and case.evidence[each][0]["type"] == kind for each in leaves))
    return [case.evidence[each] for each in leaves]


def require_signed(case: Case, entry: Json, place: Json, by: str) -> None:
    require(case.signer(read_detached(entry), place) == by)


def require_same(one: Json, other: Json, names: str) -> None:
    require(all(one[each] == other[each] for each in names.split()))


def require_template(claims: Json, template: Json) -> None:
    require_same(template, claims, "scenario scenario_version scenario_digest")
    require(set(claims["fields"]) <= {field["name"] for field in template["fields"]})
    require(claims["channel"] in template["channels"], claims["max_uses"] <= template["max_uses"])
    rules = f"{template['scenario']}/{template['scenario_version']}/engine-{template['engine']}"
    for component in claims["components"]:
        require(component["payload_mode"] == template["payload_mode"], component["rule_version"] == rules)


def require_request(claims: Json, request: Json) -> None:
    require_same(request, claims, "template scenario scenario_version consumer channel")
    require(request["subject"] == claims["sub"], set(claims["fields"]) <= set(request["fields"]))
    require(claims["max_uses"] <= request["max_uses"])


def require_consent(claims: Json, consent: Json) -> None:
    require_same(consent, claims, "request consumer scenario scenario_version purpose channel")
    require(consent["subject"] == claims["sub"], consent["holder_key"] == claims["cnf"]["jwk"])
    require(claims["max_uses"] <= consent["max_uses"])
    require(consent["valid_from"] <= claims["nbf"], claims["exp"] <= consent["valid_to"])


def require_within_request(consent: Json, request: Json, template: Json) -> None:
    require({"source": consent["source"], "provider": consent["provider"]} in request["sources"])
    require(request["valid_from"] <= consent["valid_from"], consent["valid_to"] <= request["valid_to"])
    require(consent["valid_to"] - consent["valid_from"] <= template["max_validity_days"] * 86_400)
    require(consent["iat"] < request["expires_at"])
    require(consent["separate_consent"] or template["legal_basis"] != "separate_consent")


def require_in_force(case: Case, consent: Json, place: Json) -> None:
    require(consent["valid_from"] <= case.at < consent["valid_to"])
    case.require_active(place)
    require(all(each["party"] != consent["subject"] for each in case.history("withdrawals", place)))


def require_provision(case: Case, provision: Json) -> None:
    require(provision["result"] == "supplied", provision["reason"] is None)
    require(provision["authorization"] in case.claims["authorizations"])
    consent, _ = case.evidence[provision["authorization"]]
    require_same(provision, consent, "source provider")
    require(set(provision["fields"]) <= set(consent["fields"]))


def require_sources(claims: Json, template: Json, consents: list[Json]) -> None:
    """Of each source one authorization; each field is in that of its own source."""
    authorised = {consent["source"]: consent["fields"] for consent in consents}
    require(len(authorised) == len(consents))
    source = {field["name"]: field["source"] for field in template["fields"]}
    require(all(each in authorised.get(source[each], []) for each in claims["fields"]))


def require_components(claims: Json, template: Json, provisions: list[Json]) -> None:
    """Of each authorization one provision; the components are the provisions, in their order."""
    require(sorted(each["authorization"] for each in provisions) == sorted(claims["authorizations"]))
    require(set(claims["providers"]) == {each["provider"] for each in provisions})
    require(len(claims["components"]) == len(provisions))
    for component, provision in zip(claims["components"], provisions, strict=True):
        require_same(component, provision, "source provider fields as_of payload_digest")
    supplied = {(each["source"], field) for each in provisions for field in each["fields"]}
    source = {field["name"]: field["source"] for field in template["fields"]}
    require(all((source[each], each) in supplied for each in claims["fields"]))
