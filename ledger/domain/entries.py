"""Log entries: made, checked and named (protocol §2, §5, §6); what each type holds is in ``entry_forms``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.domain.canonical import canonical
from ledger.domain.digests import hex_of
from ledger.domain.entry_forms import CLAIM_NAMES, CLASSES, PLAIN, SIGNED, hex_id, signature
from ledger.domain.field_names import listed
from ledger.errors import InvalidInput

Entry = dict[str, Any]

VERSION: Final = 2
REGISTRATION_SCENARIO: Final = "S00"
# What RFC 9901 reads as instructions, wherever it stands (§7.1).
SD_NAMES: Final = frozenset({"_sd", "_sd_alg", "..."})


def validate_entry(entry: Mapping[str, Any]) -> None:
    """Raise ``InvalidInput`` unless the entry is exactly of its type's schema.

    ``ENTRY_SHAPE`` names the member; ``PROTOCOL_UNSUPPORTED`` is an entry of protocol 1; ``SD_NAME_NESTED`` a
    certificate that an SD-JWT library would read otherwise.
    """
    kind = entry.get("type")
    if not isinstance(kind, str):
        raise _misshapen("type", "An entry names its type.")
    if kind == "certificate":
        cls = entry.get("class")
        schema = CLASSES.get(cls) if isinstance(cls, str) else None
        extra = {"class"}
    else:
        signed = SIGNED.get(kind)
        schema = signed | {"signature": signature} if signed is not None else PLAIN.get(kind)
        extra = set()
    if schema is None:
        raise _misshapen("class" if extra else "type", "There is no such type of entry.")
    _require_version(entry.get("v"))
    schema = {"ledger": hex_id, **schema}
    members = {"type", "v", *extra, *schema}
    if odd := sorted(members ^ entry.keys()):
        if odd[0] in members:
            raise _misshapen(odd[0], "A member is missing.")
        raise _misshapen(listed(odd[:1]), "This member is not known.")
    for name, rule in schema.items():
        if not rule(entry[name]):
            raise _misshapen(name, "The value does not fit the schema.")
    if kind == "certificate":
        _require_agreement(entry)


def _require_version(version: Any) -> None:
    if type(version) is not int or version not in (1, VERSION):
        raise _misshapen("v", "This version of the entry is not known.")
    if version == 1:
        raise unsupported_protocol("v")


def unsupported_protocol(where: str) -> InvalidInput:
    """The error ``PROTOCOL_UNSUPPORTED``, for what was made by another protocol: 1 was never released."""
    return InvalidInput(
        "PROTOCOL_UNSUPPORTED",
        "This was made by another protocol than the one that is read here.",
        where=where,
        hint="Ask the issuer for a new certificate; save bundles and facts again.",
    )


def _require_agreement(certificate: Mapping[str, Any]) -> None:
    """What no member says alone. An issuer is accredited for a scenario: the class may not be another's."""
    scenario = certificate["scenario"]
    if (scenario == REGISTRATION_SCENARIO) != (certificate["class"] == "registration"):
        raise _misshapen("scenario", "S00 is the scenario of registration certificates, and of no other.")
    if certificate["certificate_no"].split("-")[3] != scenario:
        raise _misshapen("certificate_no", "The number is of another scenario.")
    if not CLAIM_NAMES.isdisjoint(certificate.get("fields", ())):
        raise _misshapen("fields", "A field has the name of a claim.")
    for name, value in certificate.items():
        if holds_sd_name(value):
            raise InvalidInput(
                "SD_NAME_NESTED",
                "A claim holds a name by which SD-JWT libraries hide claims.",
                where=name,
                hint=f"None of these stands within a claim: {', '.join(sorted(SD_NAMES))}.",
            )


def holds_sd_name(value: Any) -> bool:
    """Whether ``value``, of JSON, is or contains one of ``SD_NAMES``, as a text or as the name of a member."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and item in SD_NAMES:
            return True
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
    return False


def statement_digest(entry: Mapping[str, Any]) -> str:
    """64 hex digits: SHA-256 of the entry's canonical JSON without ``signature``, by which entries name each other."""
    unsigned = {name: value for name, value in entry.items() if name != "signature"}
    return hashlib.sha256(canonical(unsigned)).hexdigest()


def _misshapen(member: str, message: str) -> InvalidInput:
    return InvalidInput("ENTRY_SHAPE", message, where=member, hint="See docs/protocol.md, sections 5 and 6.")


def template_entry(**members: Any) -> Entry:
    """What a scenario allows, as certificates issued under it refer to it; members as in protocol §6."""
    return _checked(_entry("template", members))


def request_entry(**members: Any) -> Entry:
    """An unsigned request of a consumer."""
    return _entry("request", members)


def authorization_entry(**members: Any) -> Entry:
    """An unsigned authorization of one source."""
    return _entry("authorization", members)


def provision_entry(**members: Any) -> Entry:
    """An unsigned provision."""
    return _entry("provision", members)


def withdrawal_entry(**members: Any) -> Entry:
    """An unsigned withdrawal, of an authorization by its subject or of a provision by its provider."""
    return _entry("withdrawal", members)


def publication_entry(**members: Any) -> Entry:
    """An unsigned publication of a version of a resource."""
    return _entry("publication", members)


def presentation_entry(**members: Any) -> Entry:
    """A verification, recorded for the subject."""
    return _checked(_entry("presentation", members))


def use_entry(**members: Any) -> Entry:
    """A use that the chain counted."""
    return _checked(_entry("use", members))


def erasure_entry(**members: Any) -> Entry:
    """Personal text destroyed: what was sealed for the ``targets``, or with none the subject's identity."""
    return _checked(_entry("erasure", members))


def usage_certificate_payload(**members: Any) -> Entry:
    """The payload of a usage certificate, before its claims are hidden in it (protocol §5)."""
    members |= {"class": "usage", "vct": "urn:pingzheng:usage:2", "transferable": "no"}
    return _entry("certificate", members)


def registration_certificate_payload(**members: Any) -> Entry:
    """The payload of a registration certificate."""
    members |= {"class": "registration", "vct": "urn:pingzheng:registration:2", "transferable": "yes"}
    return _checked(_entry("certificate", members))


def concerned(entry: Mapping[str, Any]) -> set[str]:
    """The ids of the parties that an entry names."""
    named = {
        entry[name] for name in ("subject", "consumer", "provider", "party", "cdo", "iss", "sub", "by") if name in entry
    }
    holders = (right["holder"] for right in entry.get("rights", ()))
    asked = (item["provider"] for item in entry.get("sources", ()))
    return named.union(entry.get("providers", ()), holders, asked)


def referred(entry: Mapping[str, Any]) -> list[str]:
    """Statement digests, hex, of what an entry is about: a use's certificate, a provision's authorization."""
    named = [entry[name] for name in ("certificate", "authorization", "request", "statement") if name in entry]
    return [hex_of(each) for each in (*named, *entry.get("targets", ()))]


def entry_types() -> Sequence[str]:
    """Every type there is."""
    return sorted({*SIGNED, *PLAIN, "certificate"})


def _entry(kind: str, members: Mapping[str, Any]) -> Entry:
    return {"type": kind, "v": VERSION, **members}


def _checked(entry: Entry) -> Entry:
    validate_entry(entry)
    return entry
