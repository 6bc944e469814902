"""Cases for comparing the verifiers: attacks with keys of the suites other than ES256K."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

import pytest

from ledger.proof.report import Report
from tests.proof.second import signatures
from tests.proof.suites import test_sm2_certificates
from tests.support import bundles
from tests.support.bundles import builder, cast, changes, evidence_mutations, genuine, mutations
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT, BANK, DEVICE, SUBJECT, TAX, Actor
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.sm_cast import SM_ISSUER, SM_SUBJECT

SM_ATTACKS: dict[str, Callable[[], Report]] = {
    **{name: attack for name, (_, _, attack) in test_sm2_certificates.ATTACKS.items()},
    **{
        f"genuine {name}": lambda make=make: make().verify()
        for name, (_, make) in test_sm2_certificates.WANTING.items()
    },
}


REIMPORTED = (genuine, changes, evidence_mutations, mutations)
"""The modules that are imported again with other keys, so that everything in them is signed by another suite."""


def mutations_in(alg: str) -> dict[str, Callable[[], Report]]:
    """Return the altered bundles of ``mutations``; in them, issuer, consumer, subject and providers have keys of the
    suite ``alg``.
    """
    algorithm = signatures.DIGEST_OF_SUITE[alg]
    with pytest.MonkeyPatch.context() as patch:
        for name, actor in list(vars(cast).items()):
            if isinstance(actor, Actor) and actor is not DEVICE:
                patch.setattr(cast, name, replace(actor, suite=alg))
        keys: dict[str, Any] = {"issuer": cast.ISSUER, "consumer_key": cast.BANK, "subject_key": cast.SUBJECT}
        keys |= {"tax_key": cast.TAX, "grid_key": cast.GRID}
        patch.setattr(cast, "supply_members", partial(cast.supply_members, algorithm=algorithm))
        patch.setattr(builder, "usage", partial(builder.usage, algorithm=algorithm, **keys))
        patch.setattr(builder, "registration", partial(builder.registration, issuer=cast.ISSUER))
        for module in REIMPORTED:
            # Importing the module again replaces both the module and the attribute of its package. The patch restores
            # both afterwards.
            patch.setattr(bundles, module.__name__.rpartition(".")[2], module)
            patch.delitem(sys.modules, module.__name__)
        again = import_module(mutations.__name__)
    assert again.GENUINE.token.split(".")[0] != GENUINE.token.split(".")[0]
    made = {name: report for name, (_, _, _, report) in zip(again.IDS, again.FAILURES, strict=True)}
    if algorithm == "sm3":  # Bundles named "other digests" have SM3 digests, so in this suite they are not altered.
        made = {name: report for name, report in made.items() if "other digests" not in name}
    return made | {limit: lambda make=make: make().verify() for limit, make in again.AT_THE_LIMIT.items()}


ANEW = {alg: mutations_in(alg) for alg in ("ES256", "SM2SM3")}


NEEDING_GMALG = {name: make() for name, (_, make) in test_sm2_certificates.WANTING.items()} | {
    f"withdrawal {place}": made
    for place, made in enumerate(
        [
            usage(subject_key=SM_SUBJECT).withdrawing(SUBJECT, AT + 1, key=SM_SUBJECT),
            *(GENUINE.withdrawing(SUBJECT, at, key=SM_SUBJECT) for at in (AT, AT + 1)),
            *(GENUINE.withdrawing(actor, AT, key=SM_SUBJECT) for actor in (TAX, BANK)),
            GENUINE.withdrawing(SUBJECT, AT, key=SM_SUBJECT, statement="sha-256:" + "77" * 32),
        ]
    )
}
NEEDING_GMALG |= {
    "certificate by a stolen key": NEEDING_GMALG["certificate"].account(SM_ISSUER, compromised_at=1),
    "authorization by a stolen key": NEEDING_GMALG["authorization"].account(SM_SUBJECT, compromised_at=1),
}


def chosen_numbers() -> Iterator[tuple[int, int, int]]:
    """Yield numbers ``e``, r and s that satisfy the equation of SM2 for the private key 7. Most of them are outside the
    range that is allowed for r and s.

    A message with such an ``e`` cannot be found, so no real signature shows whether a verifier checks the range.
    """
    curve, order = signatures.sm2_curve(), signatures.SM2_N
    infinite = -5 * 7 * pow(1 + 7, -1, order) % order
    for r, s in (
        (5, 9),
        (0, 9),
        (5, 0),
        (5, order - 5),
        (5, order + 9),
        (order + 5, 9),
        (order, 9),
        (5, order),
        (5, infinite),
    ):
        scalar = (s + (r + s) * 7) % order
        x = curve.mul(scalar, signatures.SM2_G)[0] if scalar else 0
        yield (r - x) % order, r, s
