"""How a presentation is made from a full bundle: with disclosed fields, consumer, nonce and the holder's key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import PingzhengError
from ledger.proof.bundle import Bundle
from ledger.proof.presenting import disclosing, present, require_full
from ledger.proof.sdjwt import Disclosed, compose
from ledger.proof.verifier import Expectation
from tests.support.bundles.builder import registration
from tests.support.bundles.cast import AT, BANK, DEVICE, EXPECT, HIDDEN, NONCE, OTHER_BANK, SUBJECT, Actor
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.made import Made

FULL = GENUINE.bundle.with_certificate(compose(GENUINE.token, GENUINE.hidden))
ASSET = registration().bundle


def made(
    fields: Sequence[str] | None = None,
    *,
    full: Bundle = FULL,
    consumer: Actor = BANK,
    nonce: str = NONCE,
    holder: Actor = DEVICE,
) -> Made:
    bundle = present(full, fields, consumer=consumer.id, nonce=nonce, holder=holder.signer, at=AT)
    return replace(GENUINE, bundle=bundle)


@given(st.lists(st.sampled_from(sorted(HIDDEN))))
def test_only_the_chosen_fields_are_disclosed(fields: list[str]) -> None:
    report = made(fields).verify()
    assert report.valid
    assert list(report.disclosed) == list(dict.fromkeys(fields))
    assert report.disclosed == {name: HIDDEN[name] for name in fields}


def test_all_fields_are_disclosed_by_default() -> None:
    assert made().verify().disclosed == HIDDEN


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        (replace(EXPECT, nonce="another nonce"), "KEY_BINDING_DIFFERS"),
        (Expectation(consumer=OTHER_BANK.id, nonce=NONCE), "NOT_PARTY"),
    ],
)
def test_presentation_is_valid_only_for_its_consumer_and_nonce(expect: Expectation, code: str) -> None:
    failure = made().verify(expect=expect).first_failure
    assert failure is not None and (failure.number, failure.code) == (10, code)


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("FIELD_OUTSIDE_AUTHORIZATION", lambda: made(["tax_band", "phone"])),
    ("FIELD_OUTSIDE_AUTHORIZATION", lambda: made(["tax_band"], full=disclosing(FULL, ["power_trend"]))),
    ("NOT_PARTY", lambda: made(consumer=OTHER_BANK)),
    ("HOLDER_KEY_DIFFERS", lambda: made(holder=SUBJECT)),
    ("NOTHING_TO_BIND", lambda: made(full=ASSET)),
    ("BUNDLE_PRESENTED", lambda: made(full=GENUINE.bundle)),
    ("BUNDLE_PRESENTED", lambda: disclosing(GENUINE.bundle, None)),
    ("BUNDLE_PRESENTED", lambda: require_full(made().bundle)),
    ("BUNDLE_NOT_FULL", lambda: require_full(disclosing(FULL, ["tax_band"]))),
    ("BUNDLE_NOT_FULL", lambda: require_full(FULL.with_certificate(compose(GENUINE.token, GENUINE.hidden * 2)))),
    ("CERTIFICATE_FORM", lambda: require_full(FULL.with_certificate(GENUINE.token))),
]


@pytest.mark.parametrize(("code", "attempt"), REFUSED, ids=[f"{code}-{at}" for at, (code, _) in enumerate(REFUSED)])
def test_presentation_that_cannot_be_made_is_refused_with_the_expected_error(
    code: str, attempt: Callable[[], object]
) -> None:
    with pytest.raises(PingzhengError) as refusal:
        attempt()
    assert refusal.value.code == code


def test_full_bundle_with_an_unsigned_claim_is_refused() -> None:
    first, *others = GENUINE.hidden
    forged = Disclosed(first.salt, first.name, "A")
    with pytest.raises(PingzhengError, match="BUNDLE_NOT_FULL"):
        require_full(FULL.with_certificate(compose(GENUINE.token, [forged, *others])))


@pytest.mark.parametrize("bundle", [FULL, ASSET], ids=["usage", "registration"])
def test_full_bundle_is_accepted(bundle: Bundle) -> None:
    assert require_full(bundle).claims["certificate_no"].startswith("DAC-")
    assert disclosing(bundle, None) is bundle
