# SPDX-License-Identifier: Apache-2.0
"""Check 4: each disclosed claim was signed, is disclosed once, and has a value that its rule can give."""

from __future__ import annotations

from typing import Any

from ledger.domain.rules.predicates import OPS
from ledger.domain.rules.value_spaces import fits
from ledger.proof.checks.case import Case
from ledger.proof.checks.outcome import Failed, Outcome, failed, passed
from ledger.proof.sdjwt import Disclosed, disclosure_digest


def check_disclosures(case: Case) -> Outcome:
    """Check each disclosed claim: its digest must be in ``_sd``, its name in ``fields``, and its rule must allow its
    value.

    A rule allows the values that it can give (protocol §6). The template's payload mode must also allow each rule.
    """
    disclosures = case.presented.disclosures
    signed, allowed = case.claims.get("_sd", []), case.claims.get("fields", [])
    names = [item.name for item in disclosures]
    if len(set(names)) != len(names):
        return failed("DISCLOSURE_REPEATED", "A claim is disclosed twice.")
    for item in disclosures:
        if disclosure_digest(item.encoded, case.presented.algorithm) not in signed:
            return failed("DISCLOSURE_FOREIGN", "A disclosed claim was changed, or was not signed.")
        if item.name not in allowed:
            return failed("DISCLOSURE_NOT_NAMED", "A disclosed claim is not among the certificate's fields.")
        if problem := _outside_rule(case, item):
            return problem
    return passed(f"{len(names)} of {len(signed)} claims are disclosed, each as it was signed.")


def _outside_rule(case: Case, item: Disclosed) -> Failed | None:
    if case.template is None:
        return failed("EVIDENCE_MISSING", "The template with the rules of the claims is not in the bundle.")
    rule: Any = next((field["rule"] for field in case.template["fields"] if field["name"] == item.name), {})
    if not fits(rule, item.value):
        return failed("CLAIM_OUTSIDE_RULE", f"The rule of {item.name} cannot give this value.", fields=[item.name])
    if (mode := case.template["payload_mode"]) not in OPS[rule["op"]].modes:
        message = f"The rule of {item.name} reveals more than the payload mode {mode} allows."
        return failed("RULE_OUTSIDE_MODE", message, fields=[item.name])
    return None
