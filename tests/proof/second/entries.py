"""§5 and §6: the members of a certificate and of each other entry."""

from __future__ import annotations

from typing import Any

from tests.proof.second.forms import (
    FORMS,
    REASON,
    REFUSAL,
    VERIFICATION,
    Form,
    day,
    digest,
    exactly,
    items,
    like,
    members,
    name,
    null_or,
    once,
    template_fields,
    whole,
)
from tests.proof.second.notation import Json, require

TERMS = "id scenario scenario_version subject consumer fields channel valid_from valid_to max_uses iat signature"
ENTRIES: dict[str, dict[str, Form]] = {
    "template": members(
        "scenario scenario_version scenario_digest legal_basis payload_mode channels max_validity_days max_uses"
        " retention_days engine",
        fields=template_fields,
    ),
    "request": members(f"{TERMS} template sources sd_alg note_digest pia_digest expires_at"),
    "authorization": members(f"{TERMS} request purpose source provider separate_consent holder_key notice_digest"),
    "provision": members(
        "id authorization source provider template engine sd_alg claims queried_at corrects iat signature",
        as_of=null_or(day),
        result=like("supplied|no_data|refused|timed_out"),
        reason=null_or(REFUSAL),
        payload_digest=null_or(digest),
    ),
    "withdrawal": members("id statement party iat signature", reason=REASON),
    "publication": members(
        "id document_digest cdo iat signature",
        resource=like(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}"),
        version=whole(1, 2**31 - 1),
    ),
    "presentation": members(
        "id certificate consumer nonce_digest iat", fields=once(items(name, low=0)), result=VERIFICATION
    ),
    "use": members("id certificate request consumer ordinal iat", result=like("valid")),
    "erasure": members("id subject by targets iat", reason=like("subject_request|retention_over|court")),
}


REGIONS = "440800 440802 440803 440804 440811 440823 440825 440881 440882 440883"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def check_character(characters: str) -> str:
    """Return the check character of a text, ISO 7064 MOD 37,36."""
    product = 36
    for each in characters:
        product = ((product + ALPHABET.index(each)) % 36 or 36) * 2 % 37
    return ALPHABET[(37 - product) % 36]


def certificate_no(value: Any) -> bool:
    if not like(r"DAC-[0-9]{6}-[0-9]{4}-S[0-9]{2}-[0-9]{8}-[0-9A-Z]")(value):
        return False
    *rest, check = value.split("-")
    return rest[1] in REGIONS.split() and check_character("".join(rest)) == check


COMMON = members(
    "seq iss sub scenario scenario_version scenario_digest purpose iat nbf exp grade supersedes",
    certificate_no=certificate_no,
    rights_duties=exactly(dict.fromkeys(("subject", "provider", "consumer"), items(name))),
)
COMPONENT = members("source provider payload_mode rule_version fields as_of payload_digest")
RIGHT = members("holder grant exclusive from to", kind=like("hold|process|operate"))
CERTIFICATES: dict[str, dict[str, Form]] = {
    "usage": COMMON
    | members("consumer providers channel max_uses template request authorizations provisions fields _sd")
    | {
        "class": like("usage"),
        "vct": like("urn:pingzheng:usage:2"),
        "transferable": like("no"),
        "components": items(exactly(COMPONENT), high=8),
        "cnf": exactly(members("jwk")),
        "_sd_alg": FORMS["sd_alg"],
    },
    "registration": COMMON
    | members("asset resource reg_no")
    | {
        "class": like("registration"),
        "vct": like("urn:pingzheng:registration:2"),
        "transferable": like("yes"),
        "application": exactly({"kind": like("first|change|correct|renew|cancel"), "number": whole(1, 2**31)}),
        "notice": null_or(exactly(members("from to"))),
        "rights": items(exactly(RIGHT), high=259),
    },
}


# Names that no claim of a field may have: names that RFC 9901 §7.1 reserves, two claims that other JWT profiles define,
# and the certificate's own members.
RESERVED = {"type", "v", "ledger", "status", "aud"}.union(*CERTIFICATES.values())
SD_NAMES = ("_sd", "_sd_alg", "...")


def require_entry(entry: Any) -> None:
    """Require that the entry has exactly the members of its type, each in its form."""
    require(isinstance(entry, dict) and isinstance(entry.get("type"), str))
    known = CERTIFICATES if entry["type"] == "certificate" else ENTRIES
    kind = entry.get("class") if known is CERTIFICATES else entry["type"]
    require(isinstance(kind, str) and kind in known)
    forms = known[kind] | members("ledger", type=like(entry["type"]), v=whole(2, 2))
    require(exactly(forms)(entry))
    if known is CERTIFICATES:
        require_what_belongs_together(entry)


def require_what_belongs_together(claims: Json) -> None:
    require((claims["scenario"] == "S00") == (claims["class"] == "registration"))
    require(claims["certificate_no"].split("-")[3] == claims["scenario"])
    require(RESERVED.isdisjoint(claims.get("fields", [])))
    require(not any(map(instructs, claims.values())))


def instructs(value: Any) -> bool:
    """Return whether an SD-JWT library would treat a part of the value as an instruction."""
    if isinstance(value, dict):
        return any(name in SD_NAMES or instructs(inner) for name, inner in value.items())
    return any(map(instructs, value)) if isinstance(value, list) else value in SD_NAMES
