"""Give each new certificate its number, and record it in the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.domain.codes import certificate_no
from ledger.domain.days import shanghai_day
from ledger.proof.sdjwt import Disclosed
from ledger.store import log as log_store
from ledger.store.counters import take
from ledger.store.row_damage import counter_differs
from ledger.store.sealing import Sealer


def next_number(session: Session, region: str, scenario: str, now: int) -> str:
    """Take the next certificate number for this region, scenario and year (Asia/Shanghai). The last part of a number
    counts from 1.

    Raises ``Incoherent`` ``COUNTER_DIFFERS`` if a certificate already has the number.
    """
    code, year = region[:6], shanghai_day(now).year
    series = f"certificate/{code}/{year}/{scenario}"
    serial = take(session, series, 1) + 1
    number = certificate_no(code, year, scenario, serial)
    if session.get(Certificate, number) is not None:
        raise counter_differs(series, serial - 1, serial).refusal()
    return number


def add_certificate(
    session: Session,
    sealer: Sealer,
    state: Callable[[int], Mapping[str, Any]],
    now: int,
    *,
    hidden: Sequence[Disclosed] = (),
    request_id: str | None = None,
    version: int = 1,
    asset_id: str | None = None,
    supersedes: str | None = None,
) -> Certificate:
    """Append a certificate to the log and add its row, in the caller's transaction.

    ``state`` is called with the sequence number that the log assigns, and returns the payload. The claims in ``hidden``
    are stored encrypted.
    """
    entry = log_store.append_numbered(session, "certificate", state, now)
    payload = json.loads(entry.body)
    row = Certificate(
        certificate_no=payload["certificate_no"],
        cls=payload["class"],
        seq=payload["seq"],
        digest=entry.digest,
        scenario=payload["scenario"],
        issuer=payload["iss"],
        subject=payload["sub"],
        consumer=payload.get("consumer"),
        request_id=request_id,
        version=version,
        asset_id=asset_id,
        supersedes=supersedes,
        exp=payload["exp"],
        max_uses=payload.get("max_uses"),
        sealed_id=sealer.seal(session, [item.encoded for item in hidden]) if hidden else None,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row
