# SPDX-License-Identifier: Apache-2.0
"""The verifier: eleven numbered checks (protocol §9). A check that cannot be made counts as failed. The verifier uses
no network, clock or database.

    verify(bundle, facts, at, expect) → Report

Checks 1 to 6 decide whether the certificate is the one that was issued and anchored; verification ends at the first
failure among them. Checks 7 to 11 judge a genuine certificate at a time and for a party; these five checks are always
made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ledger.domain.entries import validate_entry
from ledger.errors import BadBundle, InvalidInput, Misconfigured
from ledger.proof.bundle import Bundle, read_bundle
from ledger.proof.checks.case import Case, Expectation
from ledger.proof.checks.certificate_class import CertificateClass
from ledger.proof.checks.classes import CERTIFICATE_CLASSES
from ledger.proof.checks.disclosures import check_disclosures
from ledger.proof.checks.outcome import Failed, Outcome, failed, passed
from ledger.proof.checks.statement_state import status_at
from ledger.proof.facts import Facts
from ledger.proof.head import event_digest
from ledger.proof.merkle import leaf_hash, verify_inclusion
from ledger.proof.report import NAMES, Check, Report, Verdict
from ledger.proof.signing_keys import signing_keys

__all__ = ["Expectation", "verify"]


def verify(bundle: Bundle | bytes, facts: Facts, at: int, expect: Expectation) -> Report:
    """Return the report on a bundle, judged at the time ``at`` (seconds UTC) by these facts; never raises.

    To judge the present, give a time not earlier than ``facts.block_time``; facts later than ``at`` are ignored.
    """
    try:
        case = Case(read_bundle(bundle) if isinstance(bundle, bytes) else bundle, facts, at, expect)
        outcome = _check_format(case)
    except (BadBundle, InvalidInput) as error:
        case, outcome = None, failed(error.code, error.message, **({"where": error.where} if error.where else {}))
    checks = [_numbered(1, outcome)]
    if case is not None:
        for number, check in enumerate(_GENUINE, start=2):
            if checks[-1].verdict is not Verdict.PASSED:
                break
            checks.append(_numbered(number, _made(check, case)))
        if checks[-1].verdict is Verdict.PASSED:
            for number, check in enumerate(_JUDGED, start=len(checks) + 1):
                checks.append(_numbered(number, _made(check, case)))
    checks += [
        Check(number, Verdict.NOT_REACHED, "NOT_REACHED", "Not made, because an earlier check failed.")
        for number in range(len(checks) + 1, len(NAMES) + 1)
    ]
    report = Report(
        checks=tuple(checks),
        at=at,
        block=facts.block,
        block_time=facts.block_time,
        delay=facts.chain.delay,
        threshold=facts.chain.threshold,
        certificate_no=_number_of(case),
    )
    return _with_content(report, case) if case is not None and report.valid else report


def _check_format(case: Case) -> Outcome:
    """1: the certificate and all entries are well-formed, and they name the ledger of the facts."""
    validate_entry(case.claims)
    if case.claims["type"] != "certificate":
        raise BadBundle("NOT_A_CERTIFICATE", "The payload is not a certificate.", where="certificate")
    for proven in case.entries.values():
        validate_entry(proven.entry)
    if len(case.anchors) != len(case.bundle.anchors) or len(case.entries) != len(case.bundle.evidence):
        raise BadBundle("BUNDLE_FORM", "An anchor or an entry is repeated.", where="bundle")
    suite = case.presented.issued.suite
    if case.claims.get("_sd_alg", suite.digest) != suite.digest:
        return failed("SUITE_MIXED", f"A certificate signed with {suite.alg} must use {suite.digest} for its claims.")
    if case.bundle.chain != case.facts.chain:
        return failed("FOREIGN_CHAIN", "The bundle and the facts are for different chains or contracts.")
    ledger = case.facts.chain.ledger
    if any(entry["ledger"] != ledger for entry in (case.claims, *(each.entry for each in case.entries.values()))):
        return failed("LEDGER_DIFFERS", "The certificate or an entry was signed for another ledger.")
    return passed("Certificate and entries are well-formed and name this ledger.")


def _check_signature(case: Case) -> Outcome:
    """2: the certificate is signed by a key that was valid when the certificate was anchored."""
    issued = case.presented.issued
    issued.suite.require()
    fact = case.account(issued.kid, case.anchored_at(case.bundle.position))
    if isinstance(fact, Failed):
        return fact
    if not issued.signed_by(fact.key):
        return failed("SIGNATURE_INVALID", "The certificate was changed, or it was signed by another key.")
    return passed(f"Signed with {issued.suite.alg} by an account of the chain.", kid=issued.kid)


def _check_issuer(case: Case) -> Outcome:
    """3: the key belongs to the named issuer; the issuer is active and was accredited for the scenario."""
    signer = case.facts.accounts[case.presented.issued.kid].party
    issuer, scenario = case.claims["iss"], case.claims["scenario"]
    party = case.facts.parties.get(issuer)
    if signer != issuer or party is None:
        return failed("ISSUER_DIFFERS", "The account that signed does not belong to the issuer.")
    if party.status != "active" or "issuer" not in party.roles:
        message = "The issuer is not active, or it does not have the role of an issuer."
        return failed("ISSUER_NOT_IN_FORCE", message, status=party.status)
    start, end = party.accreditations.get(scenario, (0, 0))
    anchored = case.anchored_at(case.bundle.position)
    if anchored is None or not start <= anchored < end:
        message = f"The issuer was not accredited for {scenario} when the certificate was anchored."
        return failed("ISSUER_NOT_ACCREDITED", message)
    return passed(f"The issuer was accredited for {scenario} when the certificate was anchored.", issuer=issuer)


def _check_inclusion(case: Case) -> Outcome:
    """5: certificate and evidence are at their stated positions in their batches; ``seq`` fits the position."""
    bundle, seq = case.bundle, case.claims["seq"]
    places = [(case.presented.issued.payload, bundle.position, bundle.proof)]
    places += [(item.entry.encode(), item.position, item.proof) for item in bundle.evidence]
    for entry, position, proof in places:
        anchor = case.anchors.get(position.log_batch)
        if anchor is None:
            return failed("ANCHOR_MISSING", f"The bundle has no anchor of batch {position.batch}.")
        if not verify_inclusion(anchor.root, leaf_hash(entry), position.index, anchor.size, proof):
            return failed("NOT_INCLUDED", f"An entry is not at index {position.index} of batch {position.batch}.")
    if case.anchors[bundle.position.log_batch].first_seq + bundle.position.index != seq:
        return failed("NOT_AT_ITS_SEQ", "The certificate is not at the sequence number that it states.", seq=seq)
    return passed(f"{len(places)} entries are at their positions.")


def _check_anchor(case: Case) -> Outcome:
    """6: the chain has the same anchors as the bundle, and the certificate is in the log of its issuer."""
    for anchor in case.bundle.anchors:
        commitment = case.facts.anchors.get(anchor.log_batch)
        if commitment is None:
            message = f"The facts do not contain batch {anchor.batch} of issuer {anchor.issuer}."
            return failed("NOT_ANCHORED", message)
        if event_digest("CertificateLog.Anchored", anchor.event_args()).hex() != commitment:
            return failed("ANCHOR_DIFFERS", f"Batch {anchor.batch} has other contents on the chain than in the bundle.")
    if case.bundle.position.issuer != case.facts.parties[case.claims["iss"]].no:
        return failed("ANCHOR_NOT_BY_ISSUER", "The certificate was anchored by another party than its issuer.")
    return passed(
        "The anchors in the bundle are on the chain.", at=case.anchored_at(case.bundle.position), block=case.facts.block
    )


def _check_validity(case: Case) -> Outcome:
    """7: nbf ≤ at < exp, and the certificate was not anchored later: a later anchor proves nothing about ``at``."""
    start, end, anchored = case.claims["nbf"], case.claims["exp"], case.anchored_at(case.bundle.position)
    if anchored is None or case.at < max(start, anchored):
        return failed("NOT_YET_VALID", "The certificate is not valid yet.", nbf=start, anchored=anchored)
    if case.at >= end:
        return failed("EXPIRED", "The certificate has expired.", exp=end)
    return passed("The certificate is within its validity.", nbf=start, exp=end)


def _check_status(case: Case) -> Outcome:
    """8: the certificate is not suspended, revoked, superseded or held at the time ``at``.

    For a registration certificate, also: the asset is registered, not frozen, and held by the subject.
    """
    limit = case.expect.max_facts_age
    if limit is not None and case.at - case.facts.block_time > limit:
        return failed("FACTS_STALE", "The facts are older than the verifier accepts.", time=case.facts.block_time)
    outcome = status_at(case.facts, case.bundle.position, case.at)
    return outcome if isinstance(outcome, Failed) else _class(case).check_status(case, outcome)


def _class(case: Case) -> CertificateClass:
    return CERTIFICATE_CLASSES[case.claims["class"]]


_GENUINE: Final[tuple[Callable[[Case], Outcome], ...]] = (
    _check_signature,
    _check_issuer,
    check_disclosures,
    _check_inclusion,
    _check_anchor,
)
_JUDGED: Final[tuple[Callable[[Case], Outcome], ...]] = (
    _check_validity,
    _check_status,
    # Check 9: the request has fewer recorded uses than the certificate allows.
    lambda case: _class(case).check_uses(case),
    # Check 10: the subject has just presented the certificate to this verifier, with a key that was not reported lost.
    lambda case: _class(case).check_party(case),
    # Check 11: all authorizations and provisions of the certificate are valid, and the verifier accepts the template.
    lambda case: _class(case).check_authorization(case),
)


def _made(check: Callable[[Case], Outcome], case: Case) -> Outcome:
    try:
        return check(case)
    except (BadBundle, InvalidInput, Misconfigured) as error:
        return failed(error.code, error.message)


def _numbered(number: int, outcome: Outcome) -> Check:
    return Check(number, outcome.verdict, outcome.code, outcome.message, outcome.details)


def _number_of(case: Case | None) -> str | None:
    return None if case is None else str(case.claims["certificate_no"])


def _with_content(report: Report, case: Case) -> Report:
    claims = {name: value for name, value in case.claims.items() if name not in ("_sd", "_sd_alg", "cnf")}
    disclosed = {item.name: item.value for item in case.presented.disclosures}
    return replace(report, claims=claims, disclosed=disclosed, keys=signing_keys(case))
