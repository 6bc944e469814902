# SPDX-License-Identifier: Apache-2.0
"""Make, check and identify log entries (protocol §2, §5, §6); their schemas are in ``entry_forms``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from ledger.domain.canonical import canonical
from ledger.domain.digests import hex_of
from ledger.domain.entry_forms import CLAIM_NAMES, CLASSES, PLAIN, SIGNED, hex_id, signature
from ledger.domain.field_names import listed
from ledger.domain.shapes import Rule
from ledger.errors import InvalidInput

Entry = dict[str, Any]

VERSION: Final = 2
# Names that have a special meaning in an SD-JWT, at any depth of the payload (RFC 9901 §7.1).
SD_NAMES: Final = frozenset({"_sd", "_sd_alg", "..."})


def validate_entry(entry: Mapping[str, Any]) -> None:
    """Raise ``InvalidInput`` unless the entry has exactly the members that the schema of its type requires.

    The codes: ``ENTRY_SHAPE`` names the wrong member. ``PROTOCOL_UNSUPPORTED`` means that the entry has the form of
    protocol 1. ``SD_NAME_NESTED`` means that an SD-JWT library would hide a part of the certificate.
    """
    kind = entry.get("type")
    if not isinstance(kind, str):
        raise _misshapen("type", "The entry has no type.")
    if kind == "certificate":
        cls = entry.get("class")
        form = _CERTIFICATES.get(cls) if isinstance(cls, str) else None
    else:
        form = _FORMS.get(kind)
    if form is None:
        raise _misshapen("class" if kind == "certificate" else "type", "This type of entry is not known.")
    _require_version(entry.get("v"))
    members, rules = form
    if odd := members ^ entry.keys():
        first = min(odd)
        if first in members:
            raise _misshapen(first, "A member is missing.")
        raise _misshapen(listed([first]), "This member is not known.")
    for name, rule in rules:
        if not rule(entry[name]):
            raise _misshapen(name, "The value does not fit the schema.")
    if kind == "certificate":
        _require_agreement(entry)


_Form = tuple[frozenset[str], tuple[tuple[str, Rule], ...]]


def _form(schema: Mapping[str, Rule], *others: str) -> _Form:
    """Return the names of all members of an entry, and the rule of each member that has a rule."""
    rules = {"ledger": hex_id, **schema}
    return frozenset({"type", "v", *others, *rules}), tuple(rules.items())


_FORMS: Final[Mapping[str, _Form]] = {
    **{kind: _form(schema) for kind, schema in PLAIN.items()},
    **{kind: _form({**schema, "signature": signature}) for kind, schema in SIGNED.items()},
}
_CERTIFICATES: Final[Mapping[str, _Form]] = {cls: _form(schema, "class") for cls, schema in CLASSES.items()}


def _require_version(version: Any) -> None:
    if type(version) is not int or version not in (1, VERSION):
        raise _misshapen("v", "This version of the entry is not known.")
    if version == 1:
        raise unsupported_protocol("v")


def unsupported_protocol(where: str) -> InvalidInput:
    """Return the error ``PROTOCOL_UNSUPPORTED``; protocol 1 was never released."""
    return InvalidInput(
        "PROTOCOL_UNSUPPORTED",
        "The content was made with another protocol version, which is not supported.",
        where=where,
        hint="Ask the issuer for a new certificate; save bundles and facts again.",
    )


def _require_agreement(certificate: Mapping[str, Any]) -> None:
    """Raise ``InvalidInput`` if members of a certificate contradict each other, or if a claim uses a name of SD-JWT."""
    if certificate["certificate_no"].split("-")[3] != certificate["scenario"]:
        raise _misshapen("certificate_no", "The certificate number names another scenario.")
    if not CLAIM_NAMES.isdisjoint(certificate.get("fields", ())):
        raise _misshapen("fields", "A field has the same name as a claim of the certificate.")
    if holds_sd_name(list(certificate.values())):
        raise InvalidInput(
            "SD_NAME_NESTED",
            "A claim contains a name that SD-JWT libraries use to hide claims.",
            where=next(name for name, value in certificate.items() if holds_sd_name(value)),
            hint=f"Do not use these names in a claim: {', '.join(sorted(SD_NAMES))}.",
        )


def holds_sd_name(value: Any) -> bool:
    """Return whether one of ``SD_NAMES`` occurs in a JSON value, as a text or as the name of a member."""
    # The loop also visits the items that it adds to the list.
    waiting = [value]
    for item in waiting:
        if isinstance(item, str):
            if item in SD_NAMES:
                return True
        elif isinstance(item, dict):
            waiting += item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return False


def statement_digest(entry: Mapping[str, Any]) -> str:
    """Return the digest (64 hex digits) with which other entries refer to this entry.

    The digest is SHA-256 of the entry's canonical JSON without the member ``signature``.
    """
    return hashlib.sha256(unsigned_body(entry)).hexdigest()


def unsigned_body(entry: Mapping[str, Any]) -> bytes:
    """Return the canonical JSON of the entry without the member ``signature``. These bytes are signed and hashed."""
    return canonical({name: value for name, value in entry.items() if name != "signature"})


def _misshapen(member: str, message: str) -> InvalidInput:
    return InvalidInput("ENTRY_SHAPE", message, where=member, hint="See docs/protocol.md, sections 5 and 6.")


def template_entry(**members: Any) -> Entry:
    """Return a template. It contains the rules of a scenario, and certificates refer to it.

    Protocol §6 lists its members.
    """
    return _checked(_entry("template", members))


def request_entry(**members: Any) -> Entry:
    """Return an unsigned request of a consumer."""
    return _entry("request", members)


def authorization_entry(**members: Any) -> Entry:
    """Return an unsigned authorization of a subject. It covers only one source of data."""
    return _entry("authorization", members)


def provision_entry(**members: Any) -> Entry:
    """Return an unsigned provision, with which a provider answers an authorization."""
    return _entry("provision", members)


def withdrawal_entry(**members: Any) -> Entry:
    """Return an unsigned withdrawal: a subject withdraws an authorization, or a provider withdraws a provision."""
    return _entry("withdrawal", members)


def publication_entry(**members: Any) -> Entry:
    """Return the unsigned entry with which a version of a resource is published."""
    return _entry("publication", members)


def presentation_entry(**members: Any) -> Entry:
    """Return a presentation: the record of a verification, which the subject can read."""
    return _checked(_entry("presentation", members))


def use_entry(**members: Any) -> Entry:
    """Return the entry that records a use which the chain has counted."""
    return _checked(_entry("use", members))


def erasure_entry(**members: Any) -> Entry:
    """Return the entry that records an erasure: the texts sealed (encrypted) for ``targets`` were destroyed. If
    ``targets`` is empty, the subject's name and identifier were destroyed.
    """
    return _checked(_entry("erasure", members))


def usage_certificate_payload(**members: Any) -> Entry:
    """Return the payload of a usage certificate, before the digests of its claims are added (protocol §5)."""
    members |= {"class": "usage", "vct": "urn:pingzheng:usage:2", "transferable": "no"}
    return _entry("certificate", members)


def registration_certificate_payload(**members: Any) -> Entry:
    """Return the payload of a registration certificate."""
    members |= {"class": "registration", "vct": "urn:pingzheng:registration:2", "transferable": "yes"}
    return _checked(_entry("certificate", members))


def concerned(entry: Mapping[str, Any]) -> set[str]:
    """Return the ids of the parties that an entry names."""
    named = {
        entry[name] for name in ("subject", "consumer", "provider", "party", "cdo", "iss", "sub", "by") if name in entry
    }
    holders = (right["holder"] for right in entry.get("rights", ()))
    asked = (item["provider"] for item in entry.get("sources", ()))
    return named.union(entry.get("providers", ()), holders, asked)


def referred(entry: Mapping[str, Any]) -> list[str]:
    """Return the digests (hex) of the statements to which an entry refers. For a use, the certificate's digest is
    included.
    """
    named = [entry[name] for name in ("certificate", "authorization", "request", "statement") if name in entry]
    return [hex_of(each) for each in (*named, *entry.get("targets", ()))]


def _entry(kind: str, members: Mapping[str, Any]) -> Entry:
    return {"type": kind, "v": VERSION, **members}


def _checked(entry: Entry) -> Entry:
    validate_entry(entry)
    return entry
