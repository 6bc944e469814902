"""Every hostile bundle that the requirements name is refused by the expected check. The cases here have the same names
as in the requirements.

The cost of refusing an attack is bounded. It is measured in function calls and in bytes, not in seconds.
"""

from __future__ import annotations

import re
import sys
import tracemalloc
from collections.abc import Callable

import pytest

from ledger.proof.bundle import MAX_BUNDLE_BYTES
from ledger.proof.report import Report
from tests.proof.attacks import past_attacks, test_attacks, test_hostile_text
from tests.proof.attacks.tampering import SHOWN, Attack, require_refused, with_parts
from tests.support.bundles.cast import ANCHORED, ISSUER
from tests.support.bundles.genuine import GENUINE

ASKED_FOR = """
truncated proof, swapped sibling, leaf promoted to node, duplicated disclosure, digest of another algorithm, alg: none,
ES256K with high-s, wrong key, expired key, foreign chain id, replayed key-binding JWT, nonce reuse, 10 MB of nesting,
duplicate JSON keys, unpaired surrogate, number that is not an integer, unknown critical field
"""


def expired_key() -> Report:
    """The issuer's key was valid only until the second before the certificate was anchored."""
    return GENUINE.account(ISSUER, valid_to=ANCHORED).verify()


def nonce_reused() -> Report:
    """The holder signed a key binding for a presentation that disclosed fewer claims. The attacker uses this key
    binding, which has the bank's nonce, a second time, with more claims.
    """
    binding = GENUINE.presenting("tax_band").bundle.certificate.split("~")[-1]
    return with_parts(*SHOWN[:-1], binding)()


NAMED: dict[str, tuple[int, str, Attack]] = {
    "truncated proof": test_attacks.TREE["truncated proof"],
    "swapped sibling": test_attacks.TREE["swapped sibling"],
    "leaf promoted to node": test_attacks.TREE["leaf promoted to node"],
    "duplicated disclosure": test_attacks.DISCLOSURES["duplicated disclosure"],
    "digest of another algorithm": test_attacks.DISCLOSURES["digest of another algorithm"],
    "alg: none": test_attacks.SIGNATURES["alg none"],
    "ES256K with high-s": test_attacks.SIGNATURES["high-s signature"],
    "wrong key": test_attacks.SIGNATURES["wrong key"],
    "expired key": (2, "KEY_NOT_IN_FORCE", expired_key),
    "foreign chain id": test_attacks.TREE["foreign chain id"],
    "replayed key-binding JWT": test_attacks.DISCLOSURES["replayed key binding"],
    # The verifier's service refuses a presentation that is sent twice; see tests/certificates/test_replays.py.
    "nonce reuse": (10, "KEY_BINDING_DIFFERS", nonce_reused),
    "10 MB of nesting": test_hostile_text.FILE["10 MB of nesting"],
    "duplicate JSON keys": test_hostile_text.FILE["duplicate JSON key"],
    "unpaired surrogate": test_hostile_text.FILE["unpaired surrogate"],
    "number that is not an integer": test_hostile_text.FILE["float number"],
    "unknown critical field": test_attacks.SIGNATURES["unknown header member crit"],
}


def calls_of(work: Callable[[], object]) -> int:
    """Return how many Python and C functions are called while ``work`` runs."""
    count = 0

    def called(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def peak_of(work: Callable[[], object]) -> int:
    """Return the most bytes that are allocated at any moment while ``work`` runs."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_every_attack_that_the_requirements_name_is_tested() -> None:
    assert list(NAMED) == re.split(r",\s+", ASKED_FOR.strip())


@pytest.mark.parametrize("name", NAMED)
def test_attack_is_refused_by_the_expected_check(name: str) -> None:
    number, code, attack = NAMED[name]
    require_refused(attack(), number, code)


def test_key_that_expires_a_second_after_the_anchor_is_valid() -> None:
    assert GENUINE.account(ISSUER, valid_to=ANCHORED + 1).verify().valid


ALL = NAMED | test_attacks.ATTACKS | test_hostile_text.TEXTS | past_attacks.ATTACKS
ENOUGH = 8 * calls_of(GENUINE.verify)


@pytest.mark.parametrize("name", NAMED)
def test_number_of_function_calls_for_refusing_an_attack_is_bounded(name: str) -> None:
    """Some attacks first build a bundle. The bound includes the function calls for building it."""
    NAMED[name][2]()
    assert calls_of(NAMED[name][2]) < ENOUGH


@pytest.mark.parametrize("name", ALL)
def test_memory_used_for_refusing_an_attack_is_bounded(name: str) -> None:
    ALL[name][2]()
    assert peak_of(ALL[name][2]) < 12 * MAX_BUNDLE_BYTES


def test_bundle_file_above_the_limit_is_refused_without_being_copied() -> None:
    raw = b"[" * 5_000_000 + b"]" * 5_000_000
    assert peak_of(lambda: GENUINE.verify_file(raw)) < MAX_BUNDLE_BYTES
    assert calls_of(lambda: GENUINE.verify_file(raw)) < calls_of(GENUINE.verify) / 10


def test_calls_and_memory_of_a_function_are_measured() -> None:
    assert peak_of(lambda: bytearray(MAX_BUNDLE_BYTES)) >= MAX_BUNDLE_BYTES
    assert calls_of(lambda: [abs(number) for number in range(1000)]) >= 1000
