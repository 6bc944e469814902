# SPDX-License-Identifier: Apache-2.0
"""The checks of usage certificates: a subject presents a certificate to one consumer, and each use is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.domain.digests import hex_of, is_hex_digest, reference
from ledger.domain.entries import statement_digest
from ledger.errors import InvalidInput
from ledger.proof.bundle import MAX_EVIDENCE
from ledger.proof.checks.authorization import check_authorization
from ledger.proof.checks.case import Case, reported_or_compromised
from ledger.proof.checks.certificate_class import CertificateClass, ClassFacts
from ledger.proof.checks.outcome import Outcome, Passed, failed, passed
from ledger.proof.checks.statement_state import held_at
from ledger.proof.jws import Jwk

MAX_KEY_BINDING_AGE: Final = 600
"""The most seconds between making a presentation and receiving it; long enough to retry after a lost connection."""
MAX_KEY_BINDING_SKEW: Final = 300
"""The most seconds by which the holder's clock may be ahead of the verifier's clock."""


def _check_status(case: Case, active: Passed) -> Outcome:
    """Check that no authority or supervisor has placed a hold on the certificate or its request."""
    request = hex_of(case.claims["request"])
    for what, statement in (("certificate", case.statement), ("request", request)):
        if problem := held_at(case.facts, statement, case.at, what, "HELD"):
            return problem
    return active


def _check_uses(case: Case) -> Outcome:
    history = case.facts.uses.get((case.claims["consumer"], hex_of(case.claims["request"])))
    if history is None:
        return failed("USES_UNKNOWN", "The facts do not contain the uses by the consumer.")
    used, limit = sum(use.at <= case.at for use in history), case.claims["max_uses"]
    if used >= limit:
        return failed("USED_UP", f"All allowed uses were made: {used} of {limit}.", since=history[limit - 1].at)
    return passed(f"{used} of {limit} uses are consumed.")


def _check_party(case: Case) -> Outcome:
    if case.expect.consumer is None or case.expect.nonce is None:
        return failed("PARTY_NOT_NAMED", "The verifier did not give its party id and its nonce.")
    if case.expect.consumer != case.claims["consumer"]:
        return failed("NOT_PARTY", "The certificate was issued for another consumer.")
    return _check_binding(case)


def _check_binding(case: Case) -> Outcome:
    binding, said = case.presented.key_binding, case.presented.binding_claims
    if binding is None:
        return failed("KEY_BINDING_MISSING", "The holder did not bind the presentation to a verifier.")
    key = Jwk.from_dict(case.claims["cnf"]["jwk"]).compressed
    if not binding.signed_by(key, any_s=True):
        return failed("KEY_BINDING_INVALID", "The presentation is not signed by the subject's key.")
    # The holder's key need not belong to a party, and a retired key can still sign a presentation. So only a key that
    # was reported lost or compromised is refused.
    for fact in case.facts.accounts_of_key(key):
        if stolen := reported_or_compromised(fact, case.at):
            return stolen
    wanted = {"aud": case.expect.consumer, "nonce": case.expect.nonce, "sd_hash": case.presented.sd_hash}
    if said.keys() != {*wanted, "iat"} or any(said[name] != value for name, value in wanted.items()):
        message = "The presentation is for another verifier, another nonce or other disclosures."
        return failed("KEY_BINDING_DIFFERS", message)
    received = case.at if case.expect.received is None else case.expect.received
    made = said["iat"]
    if type(made) is not int or not received - MAX_KEY_BINDING_AGE <= made <= received + MAX_KEY_BINDING_SKEW:
        return failed("KEY_BINDING_TIME", "The presentation was not made shortly before the verifier received it.")
    return passed("The subject presented the certificate to this consumer with its nonce.")


def _statements(claims: Mapping[str, Any]) -> frozenset[str]:
    named = [claims.get("request")]
    for member in ("authorizations", "provisions"):
        listed = claims.get(member)
        named += listed[:MAX_EVIDENCE] if isinstance(listed, list) else []
    statements = {found for each in named if (found := _statement(each)) is not None}
    return frozenset({statement_digest(claims), *statements})


def _presenter(cnf: Any) -> Jwk | None:
    try:
        return Jwk.from_dict(cnf.get("jwk")) if isinstance(cnf, Mapping) else None
    except InvalidInput:
        return None


def _uses(claims: Mapping[str, Any]) -> tuple[str, str] | None:
    consumer, request = claims.get("consumer"), _statement(claims.get("request"))
    return (consumer, request) if is_hex_digest(consumer) and request is not None else None


def _statement(named: Any) -> str | None:
    if not isinstance(named, str):
        return None
    digits = hex_of(named)
    return digits if is_hex_digest(digits) and reference(digits) == named else None


USAGE: Final = CertificateClass(
    name="usage",
    used_up=True,
    transferable=False,
    rests_on=lambda claims: [claims["template"], claims["request"], *claims["authorizations"], *claims["provisions"]],
    facts_needed=lambda claims: ClassFacts(_statements(claims), _uses(claims), _presenter(claims.get("cnf"))),
    check_status=_check_status,
    check_uses=_check_uses,
    check_party=_check_party,
    check_authorization=check_authorization,
)
