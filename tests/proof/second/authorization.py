"""§9: check 11, in the order of the protocol's paragraphs."""

from __future__ import annotations

from collections.abc import Sequence

from tests.proof.second.facts import ENDS, Case
from tests.proof.second.notation import Json, NotInstalled, Refused, reference_to, require
from tests.proof.second.signatures import read_detached


def check_11_authorization(case: Case) -> None:
    if not case.usage:
        return
    require(case.templates is None or case.claims["template"] in case.templates)
    [(template, _)] = rested_on(case, [case.claims["template"]], "template")
    [(request, position)] = rested_on(case, [case.claims["request"]], "request")
    consents = rested_on(case, case.claims["authorizations"], "authorization")
    supplies = rested_on(case, case.claims["provisions"], "provision")
    require_template(case.claims, template)
    require_signed(case, request, position, case.claims["consumer"])
    require_request(case.claims, request)
    for consent, position in consents:
        require_signed(case, consent, position, case.claims["sub"])
        require_consent(case.claims, consent)
        require_within_request(consent, request, template)
        require(consent["valid_from"] <= case.at < consent["valid_to"])
        require_standing(case, consent, consent["subject"])
    require(len({consent["source"] for consent, _ in consents}) == len(consents))
    require(sorted(supply["authorization"] for supply, _ in supplies) == sorted(case.claims["authorizations"]))
    for supply, position in supplies:
        require_signed(case, supply, position, supply["provider"])
        require_supply(case, supply, template)
        require_standing(case, supply, supply["provider"])
    require_components(case.claims, [supply for supply, _ in supplies])
    require_vouched_for(case, [supply["claims"] for supply, _ in supplies])


def rested_on(case: Case, references: list[str], kind: str) -> list[tuple[Json, Json]]:
    require(all(each in case.evidence and case.evidence[each][0]["type"] == kind for each in references))
    found = [case.evidence[each] for each in references]
    issued = case.anchor_of(case.bundle["position"])["at"]
    require(all(case.anchor_of(position)["at"] <= issued for _, position in found))
    return found


def require_signed(case: Case, entry: Json, position: Json, by: str) -> None:
    require(case.signer(read_detached(entry), position) == by)


def require_same(one: Json, other: Json, names: str) -> None:
    require(all(one[each] == other[each] for each in names.split()))


def require_template(claims: Json, template: Json) -> None:
    require_same(template, claims, "scenario scenario_version scenario_digest")
    require(claims["channel"] in template["channels"], claims["max_uses"] <= template["max_uses"])
    rules = f"{template['scenario']}/{template['scenario_version']}/engine-{template['engine']}"
    for component in claims["components"]:
        require(component["payload_mode"] == template["payload_mode"], component["rule_version"] == rules)


def require_request(claims: Json, request: Json) -> None:
    require_same(request, claims, "template scenario scenario_version consumer channel")
    require(request["sd_alg"] == claims["_sd_alg"], request["subject"] == claims["sub"])
    require(set(claims["fields"]) <= set(request["fields"]), claims["max_uses"] <= request["max_uses"])


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


def require_standing(case: Case, entry: Json, party: str) -> None:
    """Require that no institution has placed a hold on the entry, and that ``party`` has not withdrawn it, on the chain
    or by an entry.

    A subject can also withdraw with a key that is reported or compromised.
    """
    reference, subject = reference_to(entry), entry["type"] == "authorization"
    case.require_not_held(reference)
    case.require_not_withdrawn(reference, party, ("at", "reported_at") if subject else ("at",))
    for other, position in case.evidence.values():
        if other["type"] == "withdrawal" and (other["statement"], other["party"]) == (reference, party):
            counts = signed(case, other, position, ("valid_to",) if subject else ENDS)
            require(not counts or case.at < case.anchor_of(position)["at"])


def signed(case: Case, withdrawal: Json, position: Json, ends: Sequence[str]) -> bool:
    try:
        return case.signer(read_detached(withdrawal), position, ends) == withdrawal["party"]
    except NotInstalled:
        raise
    except Refused:
        return False


def require_supply(case: Case, supply: Json, template: Json) -> None:
    require(supply["result"] == "supplied", supply["reason"] is None)
    consent, _ = case.evidence[supply["authorization"]]
    require_same(supply, consent, "source provider")
    require_same(supply, case.claims, "template")
    require(supply["engine"] == template["engine"], supply["sd_alg"] == case.claims["_sd_alg"])
    # It is enough to check the names in ``claims`` of the provisions: another check requires that the names in the
    # certificate's ``fields`` are exactly these names.
    sources = {field["name"]: field["source"] for field in template["fields"]}
    require(all(name in consent["fields"] and sources.get(name) == supply["source"] for name in supply["claims"]))


def require_components(claims: Json, supplies: list[Json]) -> None:
    """Require that the certificate's components match the provisions, in the same order."""
    require(set(claims["providers"]) == {each["provider"] for each in supplies})
    require(len(claims["components"]) == len(supplies))
    for component, supply in zip(claims["components"], supplies, strict=True):
        require_same(component, supply, "source provider as_of payload_digest")
        require(component["fields"] == sorted(supply["claims"]))


def require_vouched_for(case: Case, supplied: list[Json]) -> None:
    """Require that the certificate has exactly the claims that the providers signed."""
    pairs = [pair for claims in supplied for pair in claims.items()]
    require(sorted(case.claims["fields"]) == sorted(name for name, _ in pairs))
    require(sorted(case.claims["_sd"]) == sorted(digest for _, digest in pairs))
    for each in case.certificate.disclosures:
        require((each.name, case.certificate.hashed(each.sent)) in pairs)
