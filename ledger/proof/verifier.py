"""The verifier: eleven numbered checks (protocol §9), fail-closed, pure: no network, no clock, no database.

    verify(bundle, facts, at, expect) → Report

1 to 6 ask whether the certificate is what was issued and anchored; the first that fails ends them. 7 to 11 judge a
genuine certificate at a time and for a party; each is made whatever the others say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ledger.domain.digests import hex_of
from ledger.domain.entries import statement_digest, validate_entry
from ledger.errors import BadBundle, InvalidInput, Misconfigured
from ledger.proof.bundle import Bundle, read_bundle
from ledger.proof.checks.authorization import check_authorization
from ledger.proof.checks.case import Case, in_other_hands
from ledger.proof.checks.disclosures import check_disclosures
from ledger.proof.checks.outcome import Failed, Outcome, does_not_apply, failed, passed
from ledger.proof.checks.statement_state import held_at, status_at
from ledger.proof.facts import Facts
from ledger.proof.head import event_digest
from ledger.proof.jws import Jwk
from ledger.proof.merkle import leaf_hash, verify_inclusion
from ledger.proof.report import NAMES, Check, Report, Verdict
from ledger.proof.signing_keys import signing_keys

MAX_KEY_BINDING_AGE: Final = 600
"""Seconds from the holder's clock to the verifier's; a retry within an interrupted connection is younger."""
MAX_KEY_BINDING_SKEW: Final = 300
"""Seconds by which the holder's clock may be fast."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Who verifies: its party id, the nonce it gave the holder, and how old (seconds) the facts may be.

    ``received`` is when the verifier first received the presentation, seconds UTC, by default the time judged: a retry
    is judged by its first receipt. Without consumer and nonce no usage certificate passes check 10: nobody relies on
    what was not presented to it. ``templates`` are the templates that the verifier accepts, each as a certificate
    refers to it (``sha-256:…``); None if it knows no scenario to compare with: then the issuer alone says which rules
    are the scenario's, and the report names the template.
    """

    consumer: str | None = None
    nonce: str | None = None
    max_facts_age: int | None = None
    received: int | None = None
    templates: frozenset[str] | None = None


@dataclass(frozen=True)
class _Judged(Case):
    """A case with what the verifier expects."""

    expect: Expectation


def verify(bundle: Bundle | bytes, facts: Facts, at: int, expect: Expectation) -> Report:
    """Judge a bundle at ``at`` (seconds UTC) by facts; never raises on hostile input, always ends with a report.

    Now is not before ``facts.block_time``: an earlier clock would leave out what the facts already report.
    """
    try:
        case = _Judged(read_bundle(bundle) if isinstance(bundle, bytes) else bundle, facts, at, expect)
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
        Check(number, Verdict.NOT_REACHED, "NOT_REACHED", "It rests on a check that failed.")
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


def _check_format(case: _Judged) -> Outcome:
    """1: well-formed all the way down, and signed for the ledger that the facts are of."""
    validate_entry(case.claims)
    if case.claims["type"] != "certificate":
        raise BadBundle("NOT_A_CERTIFICATE", "The payload is not a certificate.", where="certificate")
    for entry, _ in case.entries.values():
        validate_entry(entry)
    if len(case.anchors) != len(case.bundle.anchors) or len(case.entries) != len(case.bundle.evidence):
        raise BadBundle("BUNDLE_FORM", "An anchor or an entry stands twice.", where="bundle")
    suite = case.presented.issued.suite
    if case.claims.get("_sd_alg", suite.digest) != suite.digest:
        return failed("SUITE_MIXED", f"What {suite.alg} signs hides its claims by {suite.digest}, and by nothing else.")
    if case.bundle.chain != case.facts.chain:
        return failed("FOREIGN_CHAIN", "The bundle is for another chain or other contracts than the facts are of.")
    ledger = case.facts.chain.ledger
    if any(entry["ledger"] != ledger for entry in (case.claims, *(entry for entry, _ in case.entries.values()))):
        return failed("LEDGER_DIFFERS", "The certificate or an entry was signed for another ledger.")
    return passed("Well-formed, for this ledger.")


def _check_signature(case: _Judged) -> Outcome:
    """2: signed by a key that counted when the certificate was anchored."""
    issued = case.presented.issued
    issued.suite.require()
    fact = case.account(issued.kid, case.anchored_at(case.bundle.position))
    if isinstance(fact, Failed):
        return fact
    if not issued.signed_by(fact.key):
        return failed("SIGNATURE_INVALID", "The certificate was changed, or signed by another key.")
    return passed(f"Signed with {issued.suite.alg} by an account of the chain.", kid=issued.kid)


def _check_issuer(case: _Judged) -> Outcome:
    """3: that key's party is the issuer named, active, and was accredited for the scenario."""
    signer = case.facts.accounts[case.presented.issued.kid].party
    issuer, scenario = case.claims["iss"], case.claims["scenario"]
    party = case.facts.parties.get(issuer)
    if signer != issuer or party is None:
        return failed("ISSUER_DIFFERS", "The signing account is not one of the issuer's.")
    if party.status != "active" or "issuer" not in party.roles:
        return failed("ISSUER_NOT_IN_FORCE", "The issuer is not active, or no issuer.", status=party.status)
    start, end = party.accreditations.get(scenario, (0, 0))
    anchored = case.anchored_at(case.bundle.position)
    if anchored is None or not start <= anchored < end:
        return failed("ISSUER_NOT_ACCREDITED", f"The issuer was not accredited for {scenario} when it was anchored.")
    return passed(f"Accredited for {scenario} when it was anchored.", issuer=issuer)


def _check_inclusion(case: _Judged) -> Outcome:
    """5: certificate and evidence are where they say, under the roots of their batches; the certificate at its seq."""
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
        return failed("NOT_AT_ITS_SEQ", "The certificate was anchored in another place than its own.", seq=seq)
    return passed(f"{len(places)} entries at their positions.")


def _check_anchor(case: _Judged) -> Outcome:
    """6: the chain holds exactly these anchors; the certificate's is in the log of its issuer."""
    for anchor in case.bundle.anchors:
        commitment = case.facts.anchors.get(anchor.log_batch)
        if commitment is None:
            return failed("NOT_ANCHORED", f"The facts know no batch {anchor.batch} of issuer {anchor.issuer}.")
        if event_digest("CertificateLog.Anchored", anchor.event_args()).hex() != commitment:
            return failed("ANCHOR_DIFFERS", f"The chain holds another batch {anchor.batch}.")
    if case.bundle.position.issuer != case.facts.parties[case.claims["iss"]].no:
        return failed("ANCHOR_NOT_BY_ISSUER", "The certificate was anchored by another party than its issuer.")
    return passed("On the chain.", at=case.anchored_at(case.bundle.position), block=case.facts.block)


def _check_validity(case: _Judged) -> Outcome:
    """7: nbf ≤ at < exp, and on the chain by then: what was anchored later proves nothing of before."""
    start, end, anchored = case.claims["nbf"], case.claims["exp"], case.anchored_at(case.bundle.position)
    if anchored is None or case.at < max(start, anchored):
        return failed("NOT_YET_VALID", "It is not valid yet.", nbf=start, anchored=anchored)
    if case.at >= end:
        return failed("EXPIRED", "It has expired.", exp=end)
    return passed("Within its validity.", nbf=start, exp=end)


def _check_status(case: _Judged) -> Outcome:
    """8: not suspended, revoked, superseded or held at that time; a registration's asset stands and is its holder's."""
    limit = case.expect.max_facts_age
    if limit is not None and case.at - case.facts.block_time > limit:
        return failed("FACTS_STALE", "The facts are older than the verifier accepts.", time=case.facts.block_time)
    outcome = status_at(case.facts, case.bundle.position, case.at)
    if isinstance(outcome, Failed):
        return outcome
    return (_held(case) or outcome) if case.usage else _check_asset(case)


def _held(case: _Judged) -> Failed | None:
    request = hex_of(case.claims["request"])
    for what, statement in (("certificate", statement_digest(case.claims)), ("request", request)):
        if problem := held_at(case.facts, statement, case.at, what, "HELD"):
            return problem
    return None


def _check_asset(case: _Judged) -> Outcome:
    asset = case.facts.assets.get(case.claims["asset"])
    if asset is None:
        return failed("ASSET_UNKNOWN", "The facts do not know the registered asset.")
    if asset.state != "confirmed" or asset.frozen:
        return failed("ASSET_NOT_IN_FORCE", "The registration is not confirmed, or it is frozen.", state=asset.state)
    if case.at >= asset.valid_to:
        return failed("ASSET_NOT_IN_FORCE", "The registration is over.", valid_to=asset.valid_to)
    held = [holder for holder in asset.holders if holder.since <= case.at]
    if not held or held[-1].party != case.claims["sub"]:
        since = held[-1].since if held else None
        return failed("HOLDER_CHANGED", "At that time another party holds the asset, or none.", since=since)
    return passed(
        "Active; the asset is confirmed and held by the subject.",
        as_of_block=case.facts.block,
        liens=[{"creditor": lien.creditor, "rank": lien.rank} for lien in asset.liens],
        objections=asset.objections,
        annulled_ancestor=asset.annulled_ancestor or None,
    )


def _check_uses(case: _Judged) -> Outcome:
    """9: used less often under its request than it may be."""
    if not case.usage:
        return does_not_apply("A registration certificate is not used up.")
    history = case.facts.uses.get((case.claims["consumer"], hex_of(case.claims["request"])))
    if history is None:
        return failed("USES_UNKNOWN", "The facts do not say how often its consumer used it.")
    used, limit = sum(use.at <= case.at for use in history), case.claims["max_uses"]
    if used >= limit:
        return failed("USED_UP", f"Its request was used {used} of {limit} times.", since=history[limit - 1].at)
    return passed(f"Used {used} of {limit} times.")


def _check_party(case: _Judged) -> Outcome:
    """10: presented by its subject to this verifier, freshly, with a key that nobody reported."""
    if not case.usage and case.presented.key_binding is not None:
        return failed("KEY_BINDING_INVALID", "A registration certificate names no key that could bind it.")
    if not case.usage:
        return does_not_apply("Anyone may rely on a registration certificate.")
    if case.expect.consumer is None or case.expect.nonce is None:
        return failed("PARTY_NOT_NAMED", "The verifier did not say who it is and which nonce it gave.")
    if case.expect.consumer != case.claims["consumer"]:
        return failed("NOT_PARTY", "The certificate is for another consumer.")
    return _check_binding(case)


def _check_binding(case: _Judged) -> Outcome:
    binding, said = case.presented.key_binding, case.presented.binding_claims
    if binding is None:
        return failed("KEY_BINDING_MISSING", "The holder did not bind the presentation to the verifier.")
    key = Jwk.from_dict(case.claims["cnf"]["jwk"]).compressed
    if not binding.signed_by(key, any_s=True):
        return failed("KEY_BINDING_INVALID", "The presentation is not signed by the subject's key.")
    # A key that is no party's has no account. A retired one may still present.
    for fact in case.facts.accounts_of_key(key):
        if stolen := in_other_hands(fact, case.at):
            return stolen
    wanted = {"aud": case.expect.consumer, "nonce": case.expect.nonce, "sd_hash": case.presented.sd_hash}
    if said.keys() != {*wanted, "iat"} or any(said[name] != value for name, value in wanted.items()):
        return failed("KEY_BINDING_DIFFERS", "The presentation was made for another verifier, nonce or disclosure.")
    received = case.at if case.expect.received is None else case.expect.received
    made = said["iat"]
    if type(made) is not int or not received - MAX_KEY_BINDING_AGE <= made <= received + MAX_KEY_BINDING_SKEW:
        return failed("KEY_BINDING_TIME", "The presentation was not made just before it was received.")
    return passed("Presented by its subject, to this consumer, with its nonce.")


def _check_authorization(case: _Judged) -> Outcome:
    """11: every authorization and provision that it rests on holds, under a template that the verifier accepts."""
    if not case.usage:
        return does_not_apply("A registration certificate rests on the registration.")
    return check_authorization(case, case.expect.templates)


_GENUINE: Final[tuple[Callable[[_Judged], Outcome], ...]] = (
    _check_signature,
    _check_issuer,
    check_disclosures,
    _check_inclusion,
    _check_anchor,
)
_JUDGED: Final[tuple[Callable[[_Judged], Outcome], ...]] = (
    _check_validity,
    _check_status,
    _check_uses,
    _check_party,
    _check_authorization,
)


def _made(check: Callable[[_Judged], Outcome], case: _Judged) -> Outcome:
    try:
        return check(case)
    except (BadBundle, InvalidInput, Misconfigured) as error:
        return failed(error.code, error.message)


def _numbered(number: int, outcome: Outcome) -> Check:
    return Check(number, outcome.verdict, outcome.code, outcome.message, outcome.details)


def _number_of(case: _Judged | None) -> str | None:
    return None if case is None else str(case.claims["certificate_no"])


def _with_content(report: Report, case: _Judged) -> Report:
    claims = {name: value for name, value in case.claims.items() if name not in ("_sd", "_sd_alg", "cnf")}
    disclosed = {item.name: item.value for item in case.presented.disclosures}
    return replace(report, claims=claims, disclosed=disclosed, keys=signing_keys(case))
