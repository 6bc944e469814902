# SPDX-License-Identifier: Apache-2.0
"""The schemas of entries. For each type of entry, a table maps each member to its allowed values (protocol §5, §6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ledger.domain.canonical import MAX_SAFE_INTEGER
from ledger.domain.codes import check_certificate_no
from ledger.domain.definitions.ruleset import APPLICATION_KINDS
from ledger.domain.digests import HASHES
from ledger.domain.grades import SCENARIO_GRADES
from ledger.domain.reasons import REASONS, REFUSALS
from ledger.domain.resource import RESOURCE_CODE
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

MAX_TEXT: Final = 2_000
MAX_SIGNATURE: Final = 600
MAX_SOURCES: Final = 8
MAX_SECONDS: Final = 2**40 - 1
MAX_USES: Final = 65_535
MAX_ENGINE: Final = 999
CHANNELS: Final = ("subject_carried", "licensed_credit_agency", "government_platform")
PAYLOAD_MODES: Final = ("raw", "aggregate", "predicate", "component")
MAX_RIGHTS: Final = 256
RESULTS: Final = ("supplied", "no_data", "refused", "timed_out")
# The results of a verification. ``lapsed`` means that no use was counted, and that the verifier received no answer.
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
REGISTRATION_SCENARIO: Final = "S00"
_SCENARIO: Final = re.compile(r"S\d{2}", re.ASCII)
# Issuers are accredited for scenarios. If a usage certificate could name the scenario of registration certificates, an
# issuer that is accredited for one class could also issue certificates of the other class.
_USAGE_SCENARIO: Final = re.compile(rf"(?!{REGISTRATION_SCENARIO})S\d{{2}}", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
# base64url of 32 bytes. The last character encodes only four bits, so only 16 characters are allowed in the last place.
# Otherwise one digest could be written in several ways.
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


def signature(value: Any) -> bool:
    return text(value, MAX_SIGNATURE)


hex_id: Final = matches(_HEX_ID)
_digest: Final = matches(_DIGEST)
# Digests of entries are always SHA-256, even if an entry is signed with a suite that uses another hash function.
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
    "subject": hex_id,
    "consumer": hex_id,
    "fields": _names,
    "channel": one_of(*CHANNELS),
    "valid_from": _seconds,
    "valid_to": _seconds,
    "max_uses": integer(1, MAX_USES),
}

SIGNED: Final[Mapping[str, dict[str, Rule]]] = {
    "request": _terms
    | {
        "id": _ulid,
        "template": _statement,
        "sources": list_of(object_of({"source": _code, "provider": hex_id}), high=MAX_SOURCES),
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
        "provider": hex_id,
        "separate_consent": boolean,
        "holder_key": document,
        "notice_digest": _digest,
        "iat": _seconds,
    },
    "provision": {
        "id": _ulid,
        "authorization": _statement,
        "source": _code,
        "provider": hex_id,
        "template": _statement,
        "engine": integer(1, MAX_ENGINE),
        "sd_alg": one_of(*HASHES),
        "claims": map_of(_code, _sd_digest),
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
        "party": hex_id,
        "reason": one_of(*REASONS),
        "iat": _seconds,
    },
    "publication": {
        "id": _ulid,
        "resource": matches(RESOURCE_CODE),
        "version": integer(1, 2**31 - 1),
        "document_digest": _digest,
        "cdo": hex_id,
        "iat": _seconds,
    },
}

PLAIN: Final[Mapping[str, dict[str, Rule]]] = {
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
        "consumer": hex_id,
        "fields": set_of(_code, low=0),
        # Null if the certificate was verified without a use: then no nonce was consumed, and no use was counted.
        "nonce_digest": or_null(_digest),
        "result": one_of(*VERIFICATION_RESULTS),
        "iat": _seconds,
    },
    "use": {
        "id": _ulid,
        "certificate": _statement,
        "request": _statement,
        "consumer": hex_id,
        "ordinal": integer(1, MAX_USES),
        "result": one_of("valid"),
        "iat": _seconds,
    },
    "erasure": {
        "id": _ulid,
        "subject": hex_id,
        "by": hex_id,
        # The statements whose encrypted text and salts were destroyed. Empty if the subject's name and identifier were
        # destroyed.
        "targets": set_of(_statement, low=0, high=MAX_TARGETS),
        "reason": one_of(*ERASURE_REASONS),
        "iat": _seconds,
    },
}

_CERTIFICATE: Final[dict[str, Rule]] = {
    "seq": integer(0, MAX_SAFE_INTEGER),
    "certificate_no": _number,
    "iss": hex_id,
    "sub": hex_id,
    "scenario_version": integer(1, 10_000),
    "scenario_digest": _digest,
    "purpose": _text,
    "iat": _seconds,
    "nbf": _seconds,
    "exp": _seconds,
    "rights_duties": object_of({"subject": _codes, "provider": _codes, "consumer": _codes}),
    "grade": one_of(*SCENARIO_GRADES),
}

CLASSES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "usage": _CERTIFICATE
    | {
        "scenario": matches(_USAGE_SCENARIO),
        "vct": one_of("urn:pingzheng:usage:2"),
        "transferable": one_of("no"),
        "consumer": hex_id,
        "providers": set_of(hex_id, high=MAX_SOURCES),
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
                    "provider": hex_id,
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
        "scenario": one_of(REGISTRATION_SCENARIO),
        "vct": one_of("urn:pingzheng:registration:2"),
        "transferable": one_of("yes"),
        "asset": hex_id,
        "resource": document,
        "application": object_of({"kind": one_of(*APPLICATION_KINDS), "number": integer(1, 2**31)}),
        "notice": or_null(object_of({"from": _seconds, "to": _seconds})),
        "rights": list_of(
            object_of(
                {
                    "kind": one_of("hold", "process", "operate"),
                    "holder": hex_id,
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

# A field must not have one of these names, because the payload has claims with the same names (RFC 9901 §7.1).
CLAIM_NAMES: Final = frozenset(
    {"type", "v", "ledger", "class", "status", "aud", *CLASSES["usage"], *CLASSES["registration"]}
)
