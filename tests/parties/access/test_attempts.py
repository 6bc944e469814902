"""Limits on guessing tokens: an address that sends wrong tokens must wait, but a correct token is always accepted."""

from __future__ import annotations

import threading

import pytest

from ledger.errors import PingzhengError, TooManyAttempts, Unauthenticated
from ledger.installation.wiring import Ledger
from ledger.parties.access.attempts import LIMIT, WINDOW_SECONDS, Attempts, source_of
from tests.support.actors.signing_in import token_of


class Clock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def fails(attempts: Attempts, source: str) -> str:
    """Send a wrong token, and return the code of the error."""
    with pytest.raises(PingzhengError) as refused, attempts.counted(source):
        raise Unauthenticated("API_KEY_UNKNOWN", "No.")
    return refused.value.code


def test_an_address_must_wait_after_ten_wrong_keys_within_a_minute() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    assert {fails(attempts, "192.0.2.1") for _ in range(LIMIT)} == {"API_KEY_UNKNOWN"}
    clock.now += 20
    with pytest.raises(TooManyAttempts) as refused, attempts.counted("192.0.2.1"):
        raise Unauthenticated("API_KEY_UNKNOWN", "No.")
    assert refused.value.details["retry_after"] == WINDOW_SECONDS - 20 + 1
    assert fails(attempts, "192.0.2.2") == "API_KEY_UNKNOWN"
    clock.now += WINDOW_SECONDS
    assert fails(attempts, "192.0.2.1") == "API_KEY_UNKNOWN"


def test_an_address_that_sends_wrong_keys_slowly_need_not_wait() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(5 * LIMIT):
        assert fails(attempts, "192.0.2.1") == "API_KEY_UNKNOWN"
        clock.now += WINDOW_SECONDS / LIMIT


def test_errors_other_than_a_wrong_key_are_not_counted_as_wrong_keys() -> None:
    attempts = Attempts(Clock())
    for _ in range(3 * LIMIT):
        with pytest.raises(ZeroDivisionError), attempts.counted("192.0.2.1"):
            raise ZeroDivisionError
    assert fails(attempts, "192.0.2.1") == "API_KEY_UNKNOWN"


def test_a_correct_key_is_accepted_from_an_address_that_sends_wrong_keys(ledger: Ledger) -> None:
    """After 400 guesses, correct keys are still accepted from the guessing address and from other addresses."""
    attempts, token = Attempts(), token_of(ledger, ledger.party)
    codes: list[str] = []
    for number in range(400):
        with pytest.raises(PingzhengError) as refused, attempts.counted("192.0.2.1"):
            ledger.callers.of(f"pz_{number:043}")
        codes.append(refused.value.code)
    assert codes == ["API_KEY_UNKNOWN"] * LIMIT + ["TOO_MANY_ATTEMPTS"] * (400 - LIMIT)
    for source in ("192.0.2.1", "192.0.2.2"):
        with attempts.counted(source):
            assert ledger.callers.of(token).party == ledger.party


def test_the_number_of_remembered_addresses_is_limited() -> None:
    attempts = Attempts(Clock(), most=100)
    for number in range(1000):
        fails(attempts, f"198.51.{number // 250}.{number % 250}")
    assert len(attempts._failures) == 100
    assert {fails(attempts, "198.51.3.249") for _ in range(LIMIT)} == {"API_KEY_UNKNOWN", "TOO_MANY_ATTEMPTS"}


def test_wrong_keys_sent_at_the_same_time_are_all_counted() -> None:
    attempts, codes, lock = Attempts(Clock()), [], threading.Lock()

    def guess() -> None:
        for _ in range(10):
            code = fails(attempts, "192.0.2.1")
            with lock:
                codes.append(code)

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (codes.count("API_KEY_UNKNOWN"), codes.count("TOO_MANY_ATTEMPTS")) == (LIMIT, 80 - LIMIT)


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("x" * 500, "x" * 64),
        ("", ""),
    ],
)
def test_all_addresses_of_an_ipv6_network_count_as_one_address(address: str, source: str) -> None:
    assert source_of(address) == source
