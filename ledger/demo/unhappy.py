"""What must fail, each at the check that names it, on the same data and the same chain."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from ledger.demo.credit import FIELDS, OUTSIDE, Credit, CreditBureau
from ledger.demo.stages import Caught, Run
from ledger.errors import Forbidden
from ledger.proof.jws import sign_entry
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from ledger.store import log as log_store

Case = Callable[[CreditBureau, str, str], Report]


def unhappy_cases(bureau: CreditBureau, credit: Credit, firms: list[str], run: Run) -> None:
    """Run every case on a firm of its own."""
    with run.stage("反例 unhappy cases") as stage:
        for (name, expected, case), firm in zip(CASES, firms, strict=True):
            report = case(bureau, firm, credit.certificates[firm])
            run.caught.append(_caught(name, expected, report))
        run.caught.append(_field_refused(bureau, credit.certificates[firms[0]]))
        stage.count = len(run.caught)


def _caught(name: str, expected: str, report: Report) -> Caught:
    failed = report.first_failure
    if failed is None:
        return Caught(name, "–", "VALID", "verified although it must not", expected)
    return Caught(name, f"{failed.number} {failed.name}", failed.code, failed.message, expected)


def _verify(
    bureau: CreditBureau, firm: str, number: str, *, consumer: str | None = None, at: int | None = None
) -> Report:
    nonce = bureau.ledger.verification.new_nonce()
    raw = bureau.present(firm, number, nonce).to_bytes()
    expect = Expectation(consumer=consumer or bureau.cast.bank, nonce=nonce)
    return bureau.ledger.verification.verify(raw, expect, at).report


def _withdrawn(bureau: CreditBureau, firm: str, number: str) -> Report:
    with bureau.ledger.database.read() as session:
        statement = log_store.certificate_statement(session, number)
        leaf = statement["authorizations"][0].removeprefix("sha-256:")
        identifier = log_store.statement(session, leaf)["id"]
    draft = bureau.ledger.authorizations.withdrawal_draft(identifier)
    bureau.ledger.authorizations.withdraw(sign_entry(draft, bureau.signer_of(bureau.cast.firms[firm])))
    return _verify(bureau, firm, number)


def _used_twice(bureau: CreditBureau, firm: str, number: str) -> Report:
    for _ in range(2):
        nonce = bureau.ledger.verification.new_nonce()
        raw = bureau.present(firm, number, nonce).to_bytes()
        report = bureau.ledger.verification.accept(raw, bureau.cast.bank, nonce).report
    return report


def _other_bank(bureau: CreditBureau, firm: str, number: str) -> Report:
    return _verify(bureau, firm, number, consumer=bureau.cast.other_bank)


def _revoked(bureau: CreditBureau, firm: str, number: str) -> Report:
    bureau.ledger.status.revoke(number, "data_error")
    return _verify(bureau, firm, number)


def _altered(bureau: CreditBureau, firm: str, number: str) -> Report:
    nonce = bureau.ledger.verification.new_nonce()
    bundle = json.loads(bureau.present(firm, number, nonce).to_bytes())
    head, payload, rest = bundle["certificate"].split(".", 2)
    body = bytearray(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    body[body.index(b'"max_uses":1') + 11] = ord("9")
    altered = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    bundle["certificate"] = f"{head}.{altered}.{rest}"
    raw = json.dumps(bundle).encode()
    return bureau.ledger.verification.verify(raw, Expectation(consumer=bureau.cast.bank, nonce=nonce)).report


def _expired(bureau: CreditBureau, firm: str, number: str) -> Report:
    with bureau.ledger.database.read() as session:
        end = int(log_store.certificate_statement(session, number)["exp"])
    return _verify(bureau, firm, number, at=end)


def _outside(bureau: CreditBureau, firm: str, number: str) -> Report:
    # A platform that breaks its own rule: it anchors a certificate with a field the subject never allowed.
    crooked = bureau.issue_outside(number, OUTSIDE)
    return _verify_fields(bureau, firm, crooked, (*FIELDS, OUTSIDE))


def _verify_fields(bureau: CreditBureau, firm: str, number: str, fields: tuple[str, ...]) -> Report:
    nonce = bureau.ledger.verification.new_nonce()
    raw = bureau.present(firm, number, nonce, fields).to_bytes()
    return bureau.ledger.verification.verify(raw, Expectation(consumer=bureau.cast.bank, nonce=nonce)).report


def _field_refused(bureau: CreditBureau, number: str) -> Caught:
    name = "要求授权外字段（签发端） field outside the authorisation, asked of the platform"
    try:
        bureau.ledger.bundles.build(number, (*FIELDS, OUTSIDE))
    except Forbidden as refusal:
        return Caught(name, "service", refusal.code, refusal.message, "service")
    return Caught(name, "–", "VALID", "released although it must not", "service")


CASES: tuple[tuple[str, str, Case], ...] = (
    ("使用前撤回授权 authorisation withdrawn before use", "8 status", _withdrawn),
    ("一次凭证用两次 used twice", "9 uses", _used_twice),
    ("出示给别的银行 presented to another bank", "10 party", _other_bank),
    ("已撤销 revoked, with a reason", "8 status", _revoked),
    ("改动一个字节 altered by one byte", "2 signature", _altered),
    ("要求授权外字段 field outside the authorisation", "11 authorisation", _outside),
    ("已过期 expired", "7 validity", _expired),
)
