"""Attacks that once succeeded by using genuine statements a second time: anchored again, issued again or shown
elsewhere.

Each attack makes its own bundle and facts. Every signature and anchor in them is made by the party that they name.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

from ledger.domain.codes import certificate_no
from ledger.proof.bundle import Position
from ledger.proof.report import Report
from tests.proof.attacks.tampering import Attack
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    CERTIFICATE,
    CHAIN,
    FIRST_SEQ,
    ISSUER,
    OTHER_BANK,
    OTHER_ISSUER,
    SCENARIO,
    SUBJECT,
)
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.made import Made

SEQ = FIRST_SEQ + CERTIFICATE.index
ELSEWHERE = Position(OTHER_ISSUER.no, 0, SEQ)
"""A position in another issuer's log, at the sequence number that the certificate states."""
LATER = Position(ISSUER.no, 9, 2)
COURT = (("authority",), "court", ANCHORED)
OTHER_NUMBER = {"certificate_no": certificate_no("440802", 2026, SCENARIO, 124)}
SECOND = usage(claims=OTHER_NUMBER)
"""Another certificate with the same request, consents and provisions."""
COPY = replace(CHAIN, origin="0b" * 32)
"""A ledger with the same addresses and chain id: a copied chain, or a chain set up again with the same keys."""
RESTS_ON = [f"{item.statement['type']} {number}" for number, item in enumerate(GENUINE.bundle.evidence)]


def spent() -> Made:
    """Return a revoked certificate with a withdrawn consent and no uses left."""
    made = GENUINE.status(("revoked", "fraud", ANCHORED + 1)).withdrawn((SUBJECT, ANCHORED + 1))
    return made.used(ANCHORED + 1, ANCHORED + 2, ANCHORED + 3)


def of_the_same_request(made: Made) -> Made:
    """Return the certificate ``SECOND`` with the facts about the first certificate; both have the same request."""
    return replace(SECOND, facts=replace(SECOND.facts, holds={**SECOND.facts.holds, **made.facts.holds})).knowing(
        uses=made.facts.uses, withdrawals=made.facts.withdrawals
    )


def consent_anchored_again(at: int) -> Report:
    """The subject withdrew the consent. Another issuer anchors the consent again in its own log, and the bundle names
    this new anchor.
    """
    return GENUINE.anchoring(0, at, OTHER_ISSUER).withdrawn((SUBJECT, ANCHORED + 1)).verify()


def said_to_be_the_issuers() -> Report:
    """Show another issuer's anchor as if the certificate's issuer had made it."""
    made = GENUINE.anchored_again(ELSEWHERE, 0)
    last = len(made.bundle.anchors) - 1
    return made.verify_changed((f"anchors.{last}.issuer", ISSUER.no), ("position.issuer", ISSUER.no))


def signed_again_by_another_issuer() -> Report:
    """Another issuer signs a second certificate for the same evidence, after the uses of the first were used up. It
    gives no new uses, because the uses of both certificates are counted together.
    """
    other = usage(claims=OTHER_NUMBER | {"iss": OTHER_ISSUER.id}, issuer=OTHER_ISSUER)
    again = other.anchored_again(ELSEWHERE, 0).presenting("tax_band")
    return again.knowing(uses=spent().facts.uses).verify()


def copied(name_the_real_one: bool = False) -> Report:
    """Verify a bundle of a copied chain with the facts of the real chain, on which the same entries were anchored."""
    made = usage(chain=COPY)
    bundle = replace(made.bundle, chain=CHAIN) if name_the_real_one else made.bundle
    return replace(made, bundle=bundle).knowing(chain=CHAIN).verify()


def replayed(statement: str) -> Report:
    """Verify a bundle in which one statement was signed for another ledger, which is a copy of the bundle's ledger."""
    changes: dict[str, Any] = {statement: {"ledger": COPY.ledger}}
    return usage(**changes).verify()


def all_anchored_later() -> Report:
    """Anchor all evidence one second after the certificate."""
    return reduce(lambda made, index: made.anchoring(index, ANCHORED + 1), range(len(RESTS_ON)), GENUINE).verify()


ATTACKS: dict[str, tuple[int, str, Attack]] = {
    "A: anchored again by another issuer": (
        6,
        "ANCHOR_NOT_BY_ISSUER",
        lambda: spent().anchored_again(ELSEWHERE, 0).verify(),
    ),
    "A: anchored again by another issuer, shown as the first issuer's anchor": (
        6,
        "NOT_ANCHORED",
        said_to_be_the_issuers,
    ),
    "A: anchored again in the same log": (5, "NOT_AT_ITS_SEQ", lambda: spent().anchored_again(LATER, 90).verify()),
    "A: registration anchored again": (
        5,
        "NOT_AT_ITS_SEQ",
        lambda: registration().status(("revoked", "fraud", AT)).anchored_again(LATER, 90).verify(),
    ),
    "A: withdrawn consent anchored again": (
        11,
        "EVIDENCE_ANCHORED_LATER",
        lambda: consent_anchored_again(ANCHORED + 2),
    ),
    "A: withdrawn consent, also anchored elsewhere before the certificate": (
        11,
        "AUTHORIZATION_WITHDRAWN",
        lambda: consent_anchored_again(ANCHORED),
    ),
    "A: issued twice under one request, used up by the first": (
        9,
        "USED_UP",
        lambda: of_the_same_request(GENUINE.used(ANCHORED + 1, ANCHORED + 2, ANCHORED + 3)).verify(),
    ),
    "A: issued twice, the second by another issuer": (9, "USED_UP", signed_again_by_another_issuer),
    "A: issued twice, its consent withdrawn under the first": (
        11,
        "AUTHORIZATION_WITHDRAWN",
        lambda: of_the_same_request(GENUINE.withdrawn((SUBJECT, ANCHORED + 1))).verify(),
    ),
    "A: held, and issued again under the same request": (
        8,
        "HELD",
        lambda: of_the_same_request(GENUINE.on_hold(COURT).on_hold(COURT, of="request")).verify(),
    ),
    "A: its consent held, and issued again": (
        11,
        "AUTHORIZATION_HELD",
        lambda: of_the_same_request(GENUINE.on_hold(COURT, of="authorization")).verify(),
    ),
    "D: only uses of another consumer are listed": (
        9,
        "USES_UNKNOWN",
        lambda: GENUINE.knowing(uses={}).used(AT, by=OTHER_BANK).verify(),
    ),
    "E: bundle of a copied chain": (1, "FOREIGN_CHAIN", copied),
    "E: bundle of a copied chain that names the real one": (
        1,
        "LEDGER_DIFFERS",
        lambda: copied(name_the_real_one=True),
    ),
    **{
        f"E: {name} signed for another ledger": (1, "LEDGER_DIFFERS", lambda name=name: replayed(name))
        for name in ("template", "request", "consent", "supply", "claims")
    },
    "E: withdrawal signed for another ledger": (
        1,
        "LEDGER_DIFFERS",
        lambda: GENUINE.withdrawing(SUBJECT, AT, ledger=COPY.ledger).verify(),
    ),
    **{
        f"H: {what} anchored after the certificate": (
            11,
            "EVIDENCE_ANCHORED_LATER",
            lambda index=index: GENUINE.anchoring(index, ANCHORED + 1).verify(),
        )
        for index, what in enumerate(RESTS_ON)
    },
    "H: all evidence anchored after the certificate": (11, "EVIDENCE_ANCHORED_LATER", all_anchored_later),
    "H: consent anchored after the time judged": (
        11,
        "EVIDENCE_ANCHORED_LATER",
        lambda: GENUINE.anchoring(0, AT + 5_000).knowing(block_time=AT + 9_000).verify(),
    ),
}
