"""Give each new certificate its number, and record it in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.tables import Certificate
from ledger.domain.codes import certificate_no
from ledger.domain.days import shanghai_day
from ledger.store import log as log_store
from ledger.store.counters import take
from ledger.store.row_damage import counter_differs
from ledger.store.sets import add_rows, portions

# The maximum number of ranges in one query. Each range adds a level to the condition of the query, and SQLite refuses a
# condition that is nested deeper than 1,000 levels.
_RANGES_PER_QUERY: Final = 200
_ISSUED: Final = tuple(field.name for field in fields(IssuedCertificate))


@dataclass(frozen=True, slots=True)
class NewCertificate:
    """A certificate to record.

    The log assigns a sequence number to the certificate; ``state`` returns the payload that contains this number.
    """

    state: Callable[[int], Mapping[str, Any]]
    request_id: str | None = None
    version: int = 1
    asset_id: str | None = None
    supersedes: str | None = None


def next_number(session: Session, region: str, scenario: str, now: int) -> str:
    """Take the next certificate number of this region and scenario. Raises the errors of ``next_numbers``."""
    return next_numbers(session, [(region, scenario)], now)[0]


def next_numbers(session: Session, series: Sequence[tuple[str, str]], now: int) -> list[str]:
    """Take a certificate number for each pair of region and scenario. Return the numbers in the order of the pairs.

    The certificates of one region, one scenario and one year (Asia/Shanghai) are numbered from 1. Raises
    ``Incoherent`` ``COUNTER_DIFFERS`` if a certificate already has one of the numbers.
    """
    year = shanghai_day(now).year
    wanted = [(region[:6], scenario) for region, scenario in series]
    counters = {each: f"certificate/{each[0]}/{year}/{each[1]}" for each in wanted}
    following = {each: take(session, counters[each], count) for each, count in Counter(wanted).items()}
    numbers: dict[str, tuple[str, int]] = {}
    ranges: dict[tuple[str, str], tuple[str, str]] = {}
    for each in wanted:
        following[each] += 1
        code, scenario = each
        number = certificate_no(code, year, scenario, following[each])
        numbers[number] = counters[each], following[each]
        ranges[each] = ranges.get(each, (number, number))[0], number
    for some in portions(list(ranges.values()), _RANGES_PER_QUERY):
        between = or_(*(Certificate.certificate_no.between(first, last) for first, last in some))
        for taken in session.scalars(select(Certificate.certificate_no).where(between).order_by("certificate_no")):
            if taken in numbers:
                counter, serial = numbers[taken]
                raise counter_differs(counter, serial - 1, serial).refusal()
    return list(numbers)


def add_certificate(
    session: Session,
    state: Callable[[int], Mapping[str, Any]],
    now: int,
    *,
    asset_id: str | None = None,
    supersedes: str | None = None,
) -> IssuedCertificate:
    """Append one certificate to the log, and add its row, in the caller's transaction."""
    new = NewCertificate(state, asset_id=asset_id, supersedes=supersedes)
    return add_certificates(session, [new], now)[0]


def add_certificates(session: Session, new: Sequence[NewCertificate], now: int) -> list[IssuedCertificate]:
    """Append the certificates to the log in the given order, and add a row for each of them.

    The caller's transaction writes everything.
    """
    if not new:
        return []
    entries = log_store.append_numbered(session, [each.state for each in new], now)
    rows = [_row(each, payload, entry.digest, now) for each, (payload, entry) in zip(new, entries, strict=True)]
    add_rows(session, Certificate, [row | {"class": row["cls"]} for row in rows])
    return [IssuedCertificate(**{name: row[name] for name in _ISSUED}) for row in rows]


def _row(new: NewCertificate, payload: Mapping[str, Any], digest: str, now: int) -> dict[str, Any]:
    return {
        "certificate_no": payload["certificate_no"],
        "cls": payload["class"],
        "seq": payload["seq"],
        "digest": digest,
        "scenario": payload["scenario"],
        "issuer": payload["iss"],
        "subject": payload["sub"],
        "consumer": payload.get("consumer"),
        "request_id": new.request_id,
        "version": new.version,
        "asset_id": new.asset_id,
        "supersedes": new.supersedes,
        "exp": payload["exp"],
        "max_uses": payload.get("max_uses"),
        "sealed_id": None,
        "token": None,
        "created_at": now,
    }
