"""Makes, from a source's answer, the provision that the provider signs, and the disclosures for the digests in the
provision.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ulid import ULID

from ledger.connectors.answers import Answer, Query, Refused, Supplied
from ledger.domain.canonical import canonical, digest
from ledger.domain.days import shanghai_day
from ledger.domain.entries import holds_sd_name, provision_entry, withdrawal_entry
from ledger.domain.reasons import REFUSALS
from ledger.domain.rules.predicates import Claim, compute
from ledger.domain.rules.value_spaces import fits
from ledger.errors import InvalidInput, Misconfigured
from ledger.proof.jws import encode_base64url
from ledger.proof.sdjwt import Disclosed, disclosure_digest
from ledger.provider.task import Entry, Task

SALT_BYTES: Final = 16
_ROW: Final = re.compile(r"\brow ([0-9]+)\b", re.ASCII)
Fresh = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Made:
    """An unsigned provision, with its disclosures and the salt of the rows' digest if the result is ``supplied``."""

    entry: Entry
    disclosures: tuple[str, ...]
    payload_salt: str | None


def query_of(task: Task, at: int) -> Query:
    """Return the query to the provider's source.

    The query asks for this subject only, and only for the columns that the rules read.
    """
    entry = task.authorization
    return Query(
        subject={"identifier": task.opening.identifier},
        scenario=entry["scenario"],
        source=entry["source"],
        columns=task.columns,
        at=at,
        name=task.needs_name,
    )


def made_of(task: Task, answer: Answer, at: int, fresh: Fresh = secrets.token_bytes) -> Made:
    """Return the unsigned provision for an answer, made at the time ``at`` (seconds UTC).

    ``fresh`` returns random bytes. Raises ``InvalidInput``: the errors of ``compute``, with the place of the row in its
    source; ``AS_OF_AFTER_QUERY``, ``REASON_UNKNOWN``. Raises ``Misconfigured`` ``SOURCE_NAME_MISSING``.
    """
    if not isinstance(answer, Supplied):
        reason = answer.reason if isinstance(answer, Refused) else None
        if isinstance(answer, Refused) and answer.reason not in REFUSALS:
            known = ", ".join(REFUSALS)
            raise InvalidInput("REASON_UNKNOWN", f"The reason for refusing must be one of: {known}.", where="reason")
        return Made(_entry(task, answer, at, reason=reason), (), None)
    if answer.as_of > shanghai_day(answer.queried_at):
        raise InvalidInput(
            "AS_OF_AFTER_QUERY",
            "The data describes a day after the day of the query (Asia/Shanghai).",
            where="as_of",
            hint="Give the day that the rows describe.",
        )
    hidden = [Disclosed(_salt(fresh), name, value) for name, value in _claims(task, answer).items()]
    algorithm, salt = task.request["sd_alg"], _salt(fresh)
    entry = _entry(
        task,
        answer,
        at,
        claims={item.name: disclosure_digest(item.encoded, algorithm) for item in hidden},
        as_of=answer.as_of.isoformat(),
        payload_digest=payload_digest(salt, answer.rows),
        corrects=task.corrects,
    )
    return Made(entry, tuple(item.encoded for item in hidden), salt)


def withdrawal_of(task: Task, at: int) -> Entry:
    """Return the unsigned withdrawal of the old provision that a corrected provision replaces."""
    return withdrawal_entry(
        id=str(ULID()),
        ledger=task.chain.ledger,
        statement=task.corrects,
        party=task.authorization["provider"],
        reason="data_error",
        iat=at,
    )


def payload_digest(salt: str, rows: Sequence[Mapping[str, str]]) -> str:
    """Return the digest of the salt and the rows (canonical JSON), with which an auditor can check the provider's rows.

    Without the salt, rows with few possible values could be guessed from the digest.
    """
    return digest(canonical({"salt": salt, "rows": [dict(row) for row in rows]}))


def _claims(task: Task, answer: Supplied) -> dict[str, Claim]:
    if task.needs_name and answer.name is None:
        raise Misconfigured(
            "SOURCE_NAME_MISSING",
            "The task asks for the subject's name as a claim, but the source does not supply the name.",
            where=f"source {task.authorization['source']}",
            hint="Name its column: name_column in the source's definition, or --name-column for a file of rows.",
        )
    attributes = {"uscc": task.opening.identifier}
    attributes |= {} if answer.name is None else {"name": answer.name}
    try:
        claims = {name: compute(rule, answer.rows, attributes) for name, rule in task.rules.items()}
    except InvalidInput as error:
        raise _placed(error, answer.places) from error
    for name, value in claims.items():
        if not fits(task.rules[name], value):
            raise InvalidInput("CLAIM_OUTSIDE_RULE", "The rule of the claim does not allow this value.", where=name)
        if holds_sd_name(value):
            raise InvalidInput(
                "SD_NAME_NESTED", "The value contains a name that SD-JWT reserves for hidden claims.", where=name
            )
    return claims


def _placed(error: InvalidInput, places: Sequence[str]) -> InvalidInput:
    """Return the error with the row's place in its source, such as ``bills.csv, line 5``, instead of the row number."""

    def place(row: re.Match[str]) -> str:
        number = int(row[1])
        return places[number - 1] if 1 <= number <= len(places) else row[0]

    where = _ROW.sub(place, error.where or "")
    message = _ROW.sub(place, error.message) if error.code == "ROW_ORDER_TWICE" else error.message
    return InvalidInput(error.code, message, where=where or None, hint=error.hint, **error.details)


def _entry(task: Task, answer: Answer, at: int, **members: Any) -> Entry:
    common: Entry = {
        "id": str(ULID()),
        "ledger": task.chain.ledger,
        "authorization": task.reference,
        "source": task.authorization["source"],
        "provider": task.authorization["provider"],
        "template": task.request["template"],
        "engine": task.template["engine"],
        "sd_alg": task.request["sd_alg"],
        "claims": {},
        "queried_at": answer.queried_at,
        "as_of": None,
        "result": answer.result,
        "reason": None,
        "payload_digest": None,
        "corrects": None,
        "iat": at,
    }
    return provision_entry(**common | members)


def _salt(fresh: Fresh) -> str:
    return encode_base64url(fresh(SALT_BYTES))
