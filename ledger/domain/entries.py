"""Log entries: what each type holds, and how one is made. Schemas are tables of member → rule (protocol §5, §6)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.domain.canonical import MAX_SAFE_INTEGER, canonical
from ledger.domain.codes import check_certificate_no
from ledger.domain.digests import HASHES
from ledger.domain.field_names import listed
from ledger.domain.reasons import REASONS, REFUSALS
from ledger.domain.resource import RESOURCE_CODE
from ledger.domain.ruleset import APPLICATION_KINDS
from ledger.domain.shapes import (
    Rule,
    boolean,
    day,
    document,
    integer,
    list_of,
    map_of,
    matches,
    named_once,
    object_of,
    one_of,
    or_null,
    set_of,
    text,
)
from ledger.errors import InvalidInput

Entry = dict[str, Any]

VERSION: Final = 2
MAX_TEXT: Final = 2_000
MAX_SIGNATURE: Final = 600
MAX_SOURCES: Final = 8
MAX_SECONDS: Final = 2**40 - 1
MAX_USES: Final = 65_535
MAX_ENGINE: Final = 999
CHANNELS: Final = ("subject_carried", "licensed_credit_agency", "government_platform")
PAYLOAD_MODES: Final = ("raw", "aggregate", "predicate", "component")
MAX_RIGHTS: Final = 256
REGISTRATION_SCENARIO: Final = "S00"
RESULTS: Final = ("supplied", "no_data", "refused", "timed_out")
# How a verification ended. ``lapsed``: the certificate was presented, but nobody was answered and no use was spent.
VERIFICATION_RESULTS: Final = (
    "valid",
    "not_yet_valid",
    "expired",
    "suspended",
    "revoked",
    "used_up",
    "not_party",
    "tampered",
    "refused",
    "unknown",
    "lapsed",
)
MAX_TARGETS: Final = 1_024
ERASURE_REASONS: Final = ("subject_request", "retention_over", "court")

_HEX_ID: Final = re.compile(r"[0-9a-f]{64}")
_DIGEST: Final = re.compile(r"(sha-256|sm3):[0-9a-f]{64}")
_STATEMENT: Final = re.compile(r"sha-256:[0-9a-f]{64}")
_ULID: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_SCENARIO: Final = re.compile(r"S\d{2}", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
# base64url of 32 bytes: the last character holds four bits, and only one spelling of them is the digest's.
_SD_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_RULE_VERSION: Final = re.compile(r"S\d{2}/\d{1,5}/engine-\d{1,3}", re.ASCII)
LEGAL_BASES: Final = ("consent", "separate_consent", "contract", "statutory_duty")


def _number(value: Any) -> bool:
    try:
        return isinstance(value, str) and check_certificate_no(value) == value
    except InvalidInput:
        return False


def _text(value: Any) -> bool:
    return text(value, MAX_TEXT)


def _signature(value: Any) -> bool:
    return text(value, MAX_SIGNATURE)


_id: Final = matches(_HEX_ID)
_digest: Final = matches(_DIGEST)
# What belongs to the log is SHA-256, whatever signed the entries.
_statement: Final = matches(_STATEMENT)
_ulid: Final = matches(_ULID)
_seconds: Final = integer(0, MAX_SECONDS)
_sd_digest: Final = matches(_SD_DIGEST)
_code: Final = matches(_NAME)
_names: Final = set_of(_code)
_codes: Final = list_of(_code)
_terms: Final[dict[str, Rule]] = {
    "scenario": matches(_SCENARIO),
    "scenario_version": integer(1, 10_000),
    "subject": _id,
    "consumer": _id,
    "fields": _names,
    "channel": one_of(*CHANNELS),
    "valid_from": _seconds,
    "valid_to": _seconds,
    "max_uses": integer(1, MAX_USES),
}

_SIGNED: Final[Mapping[str, dict[str, Rule]]] = {
    "request": _terms
    | {
        "id": _ulid,
        "template": _statement,
        "sources": list_of(object_of({"source": _code, "provider": _id}), high=MAX_SOURCES),
        "sd_alg": one_of(*HASHES),
        "note_digest": _digest,
        "pia_digest": or_null(_digest),
        "expires_at": _seconds,
        "iat": _seconds,
    },
    "authorization": _terms
    | {
        "id": _ulid,
        "request": _statement,
        "purpose": _text,
        "source": _code,
        "provider": _id,
        "separate_consent": boolean,
        "holder_key": document,
        "notice_digest": _digest,
        "iat": _seconds,
    },
    "provision": {
        "id": _ulid,
        "authorization": _statement,
        "source": _code,
        "provider": _id,
        "template": _statement,
        "engine": integer(1, MAX_ENGINE),
        "sd_alg": one_of(*HASHES),
        "claims": map_of(_code, _sd_digest, low=0),
        "queried_at": _seconds,
        "as_of": or_null(day),
        "result": one_of(*RESULTS),
        "reason": or_null(one_of(*REFUSALS)),
        "payload_digest": or_null(_digest),
        "corrects": or_null(_statement),
        "iat": _seconds,
    },
    "withdrawal": {
        "id": _ulid,
        "statement": _statement,
        "party": _id,
        "reason": one_of(*REASONS),
        "iat": _seconds,
    },
    "publication": {
        "id": _ulid,
        "resource": matches(RESOURCE_CODE),
        "version": integer(1, 2**31 - 1),
        "document_digest": _digest,
        "cdo": _id,
        "iat": _seconds,
    },
}

_PLAIN: Final[Mapping[str, dict[str, Rule]]] = {
    "template": {
        "scenario": matches(_SCENARIO),
        "scenario_version": integer(1, 10_000),
        "scenario_digest": _digest,
        "legal_basis": one_of(*LEGAL_BASES),
        "payload_mode": one_of(*PAYLOAD_MODES),
        "channels": set_of(one_of(*CHANNELS)),
        "max_validity_days": integer(1, 3_660),
        "max_uses": integer(1, MAX_USES),
        "retention_days": integer(0, 36_600),
        "engine": integer(1, MAX_ENGINE),
        "fields": named_once(object_of({"name": _code, "source": _code, "rule": document})),
    },
    "presentation": {
        "id": _ulid,
        "certificate": _statement,
        "consumer": _id,
        "fields": set_of(_code, low=0),
        # Null: it was looked at, without the nonce being taken or a use being spent.
        "nonce_digest": or_null(_digest),
        "result": one_of(*VERIFICATION_RESULTS),
        "iat": _seconds,
    },
    "use": {
        "id": _ulid,
        "certificate": _statement,
        "request": _statement,
        "consumer": _id,
        "ordinal": integer(1, MAX_USES),
        "result": one_of("valid"),
        "iat": _seconds,
    },
    "erasure": {
        "id": _ulid,
        "subject": _id,
        "by": _id,
        # Statements whose sealed text and salts were destroyed; none: it was the subject's name and identifier.
        "targets": set_of(_statement, low=0, high=MAX_TARGETS),
        "reason": one_of(*ERASURE_REASONS),
        "iat": _seconds,
    },
}

_CERTIFICATE: Final[dict[str, Rule]] = {
    "seq": integer(0, MAX_SAFE_INTEGER),
    "certificate_no": _number,
    "iss": _id,
    "sub": _id,
    "scenario": matches(_SCENARIO),
    "scenario_version": integer(1, 10_000),
    "scenario_digest": _digest,
    "purpose": _text,
    "iat": _seconds,
    "nbf": _seconds,
    "exp": _seconds,
    "rights_duties": object_of({"subject": _codes, "provider": _codes, "consumer": _codes}),
    "grade": one_of("general_1", "general_2", "general_3", "general_4", "important"),
}

_CLASSES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "usage": _CERTIFICATE
    | {
        "vct": one_of("urn:pingzheng:usage:2"),
        "transferable": one_of("no"),
        "consumer": _id,
        "providers": set_of(_id, high=MAX_SOURCES),
        "channel": one_of(*CHANNELS),
        "max_uses": integer(1, MAX_USES),
        "template": _statement,
        "request": _statement,
        "authorizations": set_of(_statement, high=MAX_SOURCES),
        "provisions": set_of(_statement, high=MAX_SOURCES),
        "supersedes": or_null(_statement),
        "components": list_of(
            object_of(
                {
                    "source": _code,
                    "provider": _id,
                    "payload_mode": one_of(*PAYLOAD_MODES),
                    "fields": _names,
                    "rule_version": matches(_RULE_VERSION),
                    "as_of": day,
                    "payload_digest": _digest,
                }
            ),
            high=MAX_SOURCES,
        ),
        "fields": _names,
        "cnf": object_of({"jwk": document}),
        "_sd_alg": one_of(*HASHES),
        "_sd": set_of(_sd_digest),
    },
    "registration": _CERTIFICATE
    | {
        "vct": one_of("urn:pingzheng:registration:2"),
        "transferable": one_of("yes"),
        "asset": _id,
        "resource": document,
        "application": object_of({"kind": one_of(*APPLICATION_KINDS), "number": integer(1, 2**31)}),
        "notice": or_null(object_of({"from": _seconds, "to": _seconds})),
        "rights": list_of(
            object_of(
                {
                    "kind": one_of("hold", "process", "operate"),
                    "holder": _id,
                    "grant": integer(0, MAX_RIGHTS),
                    "exclusive": boolean,
                    "from": _seconds,
                    "to": _seconds,
                }
            ),
            high=MAX_RIGHTS + 3,
        ),
        "reg_no": _text,
        "supersedes": or_null(_statement),
    },
}


# No field has such a name: beside the certificate's own claims it would be one of them (RFC 9901 §7.1).
CLAIM_NAMES: Final = frozenset(
    {"type", "v", "ledger", "class", "status", "aud", *_CLASSES["usage"], *_CLASSES["registration"]}
)
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
        schema = _CLASSES.get(cls) if isinstance(cls, str) else None
        extra = {"class"}
    else:
        signed = _SIGNED.get(kind)
        schema = signed | {"signature": _signature} if signed is not None else _PLAIN.get(kind)
        extra = set()
    if schema is None:
        raise _misshapen("class" if extra else "type", "There is no such type of entry.")
    _require_version(entry.get("v"))
    schema = {"ledger": _id, **schema}
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
    if type(version) is not int or version != VERSION:
        if type(version) is int and version == 1:
            raise unsupported_protocol("v")
        raise _misshapen("v", "This version of the entry is not known.")


def unsupported_protocol(where: str) -> InvalidInput:
    """The error ``PROTOCOL_UNSUPPORTED``, for what was made by protocol 1, which was never released."""
    return InvalidInput(
        "PROTOCOL_UNSUPPORTED",
        "This was made by protocol 1, which is no longer read.",
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


def reference(digest: str) -> str:
    """How an entry writes the statement digest of another one: ``sha-256:`` and the digits."""
    return f"sha-256:{digest}"


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
    return [each.removeprefix("sha-256:") for each in (*named, *entry.get("targets", ()))]


def entry_types() -> Sequence[str]:
    """Every type there is."""
    return sorted({*_SIGNED, *_PLAIN, "certificate"})


def _entry(kind: str, members: Mapping[str, Any]) -> Entry:
    return {"type": kind, "v": VERSION, **members}


def _checked(entry: Entry) -> Entry:
    validate_entry(entry)
    return entry
