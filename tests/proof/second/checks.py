"""§9: the eleven checks; check 11 is in ``authorization``."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from tests.proof.second.authorization import check_11_authorization
from tests.proof.second.bundle import read_bundle, read_certificate, read_evidence
from tests.proof.second.facts import Case, known
from tests.proof.second.notation import Json, Refused, anchor_commitment, included, ledger_digest, reference_to, require
from tests.proof.second.signatures import key_of_jwk, signed_by, text_of_key
from tests.proof.second.values import fits, shows_no_more_than


def check_1_format(raw: bytes, facts: Json, *judged: Any) -> Case:
    bundle = read_bundle(raw)
    case = Case(bundle, read_certificate(bundle["certificate"]), read_evidence(bundle), facts, *judged)
    require(len({(anchor["issuer"], anchor["batch"]) for anchor in bundle["anchors"]}) == len(bundle["anchors"]))
    require(bundle["chain"] == facts["chain"])
    ledger = ledger_digest(facts["chain"])
    require(all(entry["ledger"] == ledger for entry in (case.claims, *(entry for entry, _ in case.evidence.values()))))
    return case


def check_2_signature(case: Case) -> None:
    case.signer(case.certificate.issued, case.bundle["position"])


def check_3_issuer(case: Case) -> None:
    account = case.facts["accounts"][case.certificate.issued.header["kid"]]
    issuer = case.facts["parties"].get(case.claims["iss"])
    require(account["party"] == case.claims["iss"], issuer)
    accredited = issuer["accreditations"].get(case.claims["scenario"])
    require(issuer["status"] == "active", "issuer" in issuer["roles"], accredited)
    require(accredited["from"] <= case.anchor_of(case.bundle["position"])["at"] < accredited["to"])


def check_4_disclosures(case: Case) -> None:
    sent = case.certificate.disclosures
    names = [each.name for each in sent]
    require(len(set(names)) == len(names), set(names) <= set(case.claims.get("fields", [])))
    require(all(case.certificate.hashed(each.sent) in case.claims["_sd"] for each in sent))
    if sent:
        require_values(case, template_of(case))


def template_of(case: Case) -> Json:
    require(case.claims["template"] in case.evidence)
    template, _ = case.evidence[case.claims["template"]]
    require(template["type"] == "template")
    return template


def require_values(case: Case, template: Json) -> None:
    """Require that each disclosed value fits the rule of its field, and that the payload mode allows the rule."""
    rules = {field["name"]: field["rule"] for field in template["fields"]}
    for each in case.certificate.disclosures:
        require(each.name in rules and fits(rules[each.name], each.value))
        require(shows_no_more_than(template["payload_mode"], rules[each.name]))


def check_5_inclusion(case: Case) -> None:
    certificate = case.bundle | {"entry": case.certificate.issued.payload.decode()}
    for item in (certificate, *case.bundle["evidence"]):
        anchor = case.anchor_of(item["position"])
        entry, index = item["entry"].encode(), item["position"]["index"]
        require(included(anchor["root"], entry, index, anchor["size"], item["proof"]))
    position = case.bundle["position"]
    require(case.anchor_of(position)["first_seq"] + position["index"] == case.claims["seq"])


def check_6_anchor(case: Case) -> None:
    for anchor in case.bundle["anchors"]:
        on_chain = known(case.facts["anchors"], issuer=anchor["issuer"], batch=anchor["batch"])
        require(on_chain["commitment"] == anchor_commitment(anchor))
    require(case.bundle["position"]["issuer"] == case.facts["parties"][case.claims["iss"]]["no"])


def check_7_validity(case: Case) -> None:
    require(case.claims["nbf"] <= case.at < case.claims["exp"])
    require(case.anchor_of(case.bundle["position"])["at"] <= case.at)


def check_8_status(case: Case) -> None:
    require(case.max_age is None or case.at - case.facts["block"]["time"] <= case.max_age)
    changes = case.history("status", **case.bundle["position"])
    require([{"status": "active"}, *changes][-1]["status"] == "active")
    if case.usage:
        case.require_not_held(reference_to(case.claims))
        case.require_not_held(case.claims["request"])
    else:
        require_asset_held(case)


def require_asset_held(case: Case) -> None:
    asset = case.facts["assets"].get(case.claims["asset"])
    require(asset)
    require(asset["state"] == "confirmed", not asset["frozen"], case.at < asset["valid_to"])
    holders = [holder["party"] for holder in asset["holders"] if holder["since"] <= case.at]
    require(holders[-1:] == [case.claims["sub"]])


def check_9_uses(case: Case) -> None:
    if not case.usage:
        return
    request = case.claims["request"].removeprefix("sha-256:")
    uses = case.history("uses", consumer=case.claims["consumer"], request=request)
    require(len(uses) < case.claims["max_uses"])


def check_10_party(case: Case) -> None:
    binding, bound = case.certificate.binding, case.certificate.binding_claims
    if not case.usage:
        return require(binding is None)
    require(case.nonce is not None, case.consumer == case.claims["consumer"], binding)
    assert binding is not None
    require(signed_by(binding, key_of_jwk(case.claims["cnf"]["jwk"]), high_s=True))
    wanted = {"aud": case.consumer, "nonce": case.nonce, "sd_hash": case.certificate.hashed(case.certificate.bound)}
    require(bound == wanted | {"iat": bound.get("iat")}, type(bound.get("iat")) is int)
    require_key_not_reported(case)
    received = case.at if case.received is None else case.received
    return require(received - 600 <= bound["iat"] <= received + 300)


def require_key_not_reported(case: Case) -> None:
    """Require that the holder's key is neither reported nor compromised. The key may be retired, and it need not belong
    to an account.
    """
    key = text_of_key(key_of_jwk(case.claims["cnf"]["jwk"]))
    for account in case.facts["accounts"].values():
        if account["key"] == key:
            require(*(account[end] == 0 or case.at < account[end] for end in ("reported_at", "compromised_at")))


GENUINE = [check_2_signature, check_3_issuer, check_4_disclosures, check_5_inclusion, check_6_anchor]
JUDGED = [check_7_validity, check_8_status, check_9_uses, check_10_party, check_11_authorization]


def fails(check: Callable[[Case], None], case: Case) -> bool:
    try:
        check(case)
    except Refused:
        return True
    return False


def verify(
    bundle: bytes,
    facts: Json,
    at: int,
    consumer: str | None,
    nonce: str | None,
    max_age: int | None = None,
    received: int | None = None,
    templates: Collection[str] | None = None,
) -> list[int]:
    """Return the numbers of the checks that fail. If any of checks 1 to 6 fails, only its number is returned. ``facts``
    is parsed JSON.
    """
    try:
        case = check_1_format(bundle, facts, at, consumer, nonce, max_age, received, templates)
    except Refused:
        return [1]
    for number, check in enumerate(GENUINE, 2):
        if fails(check, case):
            return [number]
    return [number for number, check in enumerate(JUDGED, 7) if fails(check, case)]
