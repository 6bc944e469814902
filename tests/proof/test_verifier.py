"""The eleven checks: a genuine bundle passes all of them, and each altered bundle fails the expected check."""

from __future__ import annotations

import json
from collections.abc import Callable
from unittest.mock import patch

import orjson
import pytest
from coincurve import PublicKey

from ledger.domain.entry_forms import VERIFICATION_RESULTS
from ledger.proof.report import _RESULTS, NAMES, Report, Verdict
from tests.support.bundles.cast import HIDDEN
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.mutations import AT_THE_LIMIT, FAILURES, IDS

# These failures mean that the bundle cannot be judged, not that it is forged.
NOT_JUDGED = {"FOREIGN_CHAIN", "NOT_A_BUNDLE", "PROTOCOL_UNSUPPORTED", "SUITE_NOT_INSTALLED"}


@pytest.mark.parametrize(("number", "code", "what", "report"), FAILURES, ids=IDS)
def test_each_altered_bundle_fails_the_expected_check(
    number: int, code: str, what: str, report: Callable[[], Report]
) -> None:
    found = report()
    failure = found.first_failure
    assert failure is not None
    assert (failure.number, failure.name, failure.code) == (number, NAMES[number - 1], code)
    assert [check.number for check in found.checks] == list(range(1, 12))
    assert (found.valid, found.genuine) == (False, number > 6)
    later = {check.verdict for check in found.checks[number:]}
    if number <= 6:
        assert later == {Verdict.NOT_REACHED}
        assert found.result == ("unknown" if code in NOT_JUDGED else "tampered")
    else:
        assert Verdict.NOT_REACHED not in later
        assert [check.number for check in found.checks if check.verdict is Verdict.FAILED] == [number]


@pytest.mark.parametrize(("number", "code", "what", "report"), FAILURES, ids=IDS)
def test_invalid_certificate_discloses_nothing(number: int, code: str, what: str, report: Callable[[], Report]) -> None:
    found = report()
    assert (found.disclosed, found.claims) == ({}, {})
    text = json.dumps(found.to_dict())
    assert not any(f'"{name}"' in text for name in ("cnf", "_sd", "components", "providers"))
    assert str(HIDDEN["tax_trend"]) not in text


@pytest.mark.parametrize("limit", AT_THE_LIMIT)
def test_bundle_at_a_limit_is_valid(limit: str) -> None:
    report = AT_THE_LIMIT[limit]().verify()
    assert report.valid, report.first_failure


FACTS = json.dumps(GENUINE.facts.to_dict()).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"dear bank, please find attached\n",
        b"{}",
        b'{"format": "pingzheng-facts/2"}',
        b'{"version": 1.5, "version": 2}',
        FACTS,
        GENUINE.bundle.to_bytes()[:-200],
        b"\xef\xbb\xbf" + GENUINE.bundle.to_bytes(),
        GENUINE.bundle.to_bytes().decode().encode("utf-16"),
        bytes(range(256)) * 40,
        b"PK\x03\x04" * 1_000,
        b"[" * 300_000,
    ],
    ids=[
        "nothing",
        "a letter",
        "an object",
        "a name",
        "other JSON",
        "facts",
        "cut off",
        "BOM",
        "UTF-16",
        "bytes",
        "zip",
        "[",
    ],
)
def test_file_that_is_not_a_bundle_is_reported(raw: bytes) -> None:
    found = GENUINE.verify_file(raw)
    failure = found.first_failure
    assert failure is not None
    assert (found.valid, found.result, failure.number, failure.code) == (False, "unknown", 1, "NOT_A_BUNDLE")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (GENUINE.bundle.to_bytes().replace(b'"status"', b'"standing"', 1), "BUNDLE_FORM"),
        (GENUINE.bundle.to_bytes().replace(b'"position"', b'"proof": [], "position"', 1), "JSON_DUPLICATE_KEY"),
        (GENUINE.bundle.to_bytes().replace(b'"chain_id": 1337', b'"chain_id": 1337.0', 1), "JSON_FLOAT"),
    ],
)
def test_bundle_with_wrong_contents_is_reported_as_tampered(raw: bytes, code: str) -> None:
    found = GENUINE.verify_file(raw)
    assert found.first_failure is not None
    assert (found.result, found.first_failure.code) == ("tampered", code)


def test_every_verification_result_can_be_recorded_in_the_log() -> None:
    results = {"valid", "tampered", "refused", "unknown", *_RESULTS.values()}
    assert results | {"lapsed"} == set(VERIFICATION_RESULTS)


def test_every_check_has_an_altered_bundle_that_fails_it() -> None:
    assert {number for number, _, _, _ in FAILURES} == set(range(1, 12))


def test_a_verification_checks_each_signature_once_and_computes_each_digest_once() -> None:
    """Seven signatures are checked: the bundle has six entries, of which five are signed, and the certificate and the
    key binding are signed.
    """
    with (
        patch("ledger.domain.canonical.orjson", wraps=orjson) as json_texts,
        patch.object(PublicKey, "verify", autospec=True, side_effect=PublicKey.verify) as signatures,
    ):
        assert GENUINE.verify().valid
    entries, disclosures = len(GENUINE.bundle.evidence), 2
    assert signatures.call_count == entries - 1 + 2
    # The verifier parses the bundle, each entry, the certificate, each disclosure and the key binding, each once.
    assert json_texts.loads.call_count == 1 + entries + 1 + disclosures + 1
    # The verifier writes each entry twice as JSON: the whole entry, to check that the text is canonical, and the entry
    # without the signature. It writes the certificate twice in the same way, and each disclosure three times.
    assert json_texts.dumps.call_count == 2 * entries + 2 + 3 * disclosures
