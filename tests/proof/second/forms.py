"""§6: the forms of values by the names of their members."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

from tests.proof.second.notation import MAX_INTEGER

Form = Callable[[Any], bool]


def like(pattern: str) -> Form:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def whole(low: int, high: int) -> Form:
    return lambda value: type(value) is int and low <= value <= high


def text(most: int) -> Form:
    return lambda value: isinstance(value, str) and 1 <= len(value) <= most


def null_or(form: Form) -> Form:
    return lambda value: value is None or form(value)


def items(form: Form, low: int = 1, high: int = 64) -> Form:
    return lambda value: isinstance(value, list) and low <= len(value) <= high and all(map(form, value))


def once(form: Form) -> Form:
    """Return a form that accepts a list only if no item is repeated."""
    return lambda value: form(value) and len(set(value)) == len(value)


def exactly(forms: dict[str, Form]) -> Form:
    return lambda value: (
        isinstance(value, dict) and value.keys() == forms.keys() and all(forms[name](value[name]) for name in forms)
    )


def boolean(value: Any) -> bool:
    return isinstance(value, bool)


def an_object(value: Any) -> bool:
    return isinstance(value, dict) and 1 <= len(value) <= 64


def day(value: Any) -> bool:
    try:
        return like(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")(value) and datetime.date.fromisoformat(value) is not None
    except ValueError:
        return False


def claims_of_a_provision(value: Any) -> bool:
    """Return whether the value maps names to digests, and contains no digest twice."""
    return (
        isinstance(value, dict)
        and len(value) <= 64
        and all(map(name, value))
        and all(map(hidden, value.values()))
        and len(set(value.values())) == len(value)
    )


hex_32 = like(r"[0-9a-f]{64}")
statement = like(r"sha-256:[0-9a-f]{64}")
# Canonical base64url of 32 bytes: the last character holds the last four bits and two zero bits.
hidden = like(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
digest = like(r"(sha-256|sm3):[0-9a-f]{64}")
name = like(r"[a-z][a-z0-9_]{0,63}")
seconds = whole(0, 2**40 - 1)
CHANNEL = like("subject_carried|licensed_credit_agency|government_platform")
PAYLOAD_MODE = like("raw|aggregate|predicate|component")
REASON = like(
    "none|consent_withdrawn|data_error|expired_basis|court|sanction|key_compromise|fraud|superseded|investigation|lifted"
)
REFUSAL = like("out_of_scope|under_correction|disputed|restricted|basis_missing|data_unusable|source_unavailable")
VERIFICATION = like("valid|not_yet_valid|expired|suspended|revoked|used_up|not_party|tampered|refused|unknown|lapsed")
FORMS: dict[str, Form] = {
    "id": like(r"[0-7][0-9A-HJKMNP-TV-Z]{25}"),
    **dict.fromkeys(("ledger", "iss", "sub", "subject", "consumer", "provider"), hex_32),
    **dict.fromkeys(("party", "asset", "cdo", "by", "holder"), hex_32),
    **dict.fromkeys(("template", "request", "authorization", "certificate", "statement"), statement),
    **dict.fromkeys(("corrects", "supersedes"), null_or(statement)),
    **dict.fromkeys(("scenario_digest", "note_digest", "notice_digest", "document_digest", "payload_digest"), digest),
    **dict.fromkeys(("pia_digest", "nonce_digest"), null_or(digest)),
    **dict.fromkeys(("iat", "nbf", "exp", "valid_from", "valid_to", "expires_at", "queried_at", "from", "to"), seconds),
    "seq": whole(0, MAX_INTEGER),
    "as_of": day,
    "scenario": like(r"S[0-9]{2}"),
    "scenario_version": whole(1, 10_000),
    "source": name,
    "fields": once(items(name)),
    **dict.fromkeys(("purpose", "reg_no"), text(2_000)),
    "signature": text(600),
    **dict.fromkeys(("max_uses", "ordinal"), whole(1, 65_535)),
    "max_validity_days": whole(1, 3_660),
    "retention_days": whole(0, 36_600),
    "engine": whole(1, 999),
    **dict.fromkeys(("holder_key", "jwk", "rule", "resource"), an_object),
    "rule_version": like(r"S[0-9]{2}/[0-9]{1,5}/engine-[0-9]{1,3}"),
    "providers": once(items(hex_32, high=8)),
    **dict.fromkeys(("authorizations", "provisions"), once(items(statement, high=8))),
    "targets": once(items(statement, 0, 1_024)),
    "_sd": once(items(hidden)),
    "sd_alg": like("sha-256|sm3"),
    "claims": claims_of_a_provision,
    "channel": CHANNEL,
    "channels": once(items(CHANNEL)),
    "payload_mode": PAYLOAD_MODE,
    "legal_basis": like("consent|separate_consent|contract|statutory_duty"),
    "grade": like("general_1|general_2|general_3|general_4|important"),
    **dict.fromkeys(("separate_consent", "exclusive"), boolean),
    "grant": whole(0, 256),
}


def members(names: str, **own: Form) -> dict[str, Form]:
    """Return the form of each of these members. A member that is not in ``own`` has the form that ``FORMS`` gives for
    its name.
    """
    return {each: FORMS[each] for each in names.split()} | own


FORMS["sources"] = items(exactly(members("source provider")), high=8)


def template_fields(value: Any) -> bool:
    """Return whether the fields of a template are well-formed and have different names."""
    well_formed = items(exactly(members("source rule", name=name)))(value)
    return well_formed and len({field["name"] for field in value}) == len(value)
