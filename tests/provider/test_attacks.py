"""Attacks of a platform that lies about values and subjects: protocol 1 allowed them, protocol 2 refuses them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from ledger.demo.forgeries import issue_crooked
from ledger.errors import PingzhengError
from ledger.proof.jws import encode_base64url
from ledger.proof.sdjwt import SALT_BYTES, Disclosed, disclosure_digest
from ledger.proof.verifier import Expectation
from tests.support.actors.pilots import ROWS
from tests.support.actors.providers import Files, Town

Hidden = Sequence[Disclosed]
BETTER = "≥35"


def certified(town: Town, firm: str) -> str:
    (consent,) = town.consents(firm)
    town.go_round(Files(rows=({**ROWS[0], "wage": "9.0"},)))
    return town.certified(consent)


def with_value(hidden: Hidden, salt: Callable[[Disclosed], str]) -> Hidden:
    return [Disclosed(salt(item), item.name, BETTER) if item.name == "wage_band" else item for item in hidden]


def fresh(_item: Disclosed) -> str:
    return encode_base64url(secrets.token_bytes(SALT_BYTES))


ALTERED: dict[str, tuple[Callable[[Hidden], Hidden], str]] = {
    "a better value under a fresh salt": (lambda hidden: with_value(hidden, fresh), "CLAIMS_NOT_PROVIDED"),
    "a better value under the provider's salt": (
        lambda hidden: with_value(hidden, lambda item: item.salt),
        "CLAIMS_NOT_PROVIDED",
    ),
    "a claim more, from nobody": (
        lambda hidden: [*hidden, Disclosed("A" * 22, "capital_band", "≥5")],
        "FIELD_OUTSIDE_REQUEST",
    ),
    "a claim left out": (
        lambda hidden: [item for item in hidden if item.name != "wage_band"],
        "CLAIMS_NOT_PROVIDED",
    ),
}


@pytest.mark.parametrize(("change", "code"), ALTERED.values(), ids=ALTERED)
def test_attack_the_platform_cannot_alter_a_claim(town: Town, change: Callable[[Hidden], Hidden], code: str) -> None:
    """In protocol 1, the platform could certify 100 % although the provider's rows gave 0 %. Now the provider signs the
    digests of the claims.
    """
    number = certified(town, "41")
    assert town.verified(number).disclosed["wage_band"] == "<15"
    report = town.verified(issue_crooked(town.ledger, number, change))
    failed = report.first_failure
    assert not report.valid and report.disclosed == {}
    assert failed is not None and (failed.number, failed.code) == (11, code)


def test_attack_a_disclosure_cannot_show_a_better_value_than_the_provider_signed(town: Town) -> None:
    """The certificate is genuine, but one disclosure in the presentation shows another value than the value that the
    provider signed.
    """
    number = certified(town, "42")
    nonce = town.ledger.verification.new_nonce()
    bundle = town.actors.show(number, nonce)
    token, *disclosures, binding = bundle.certificate.split("~")
    better = [
        Disclosed(item.salt, item.name, BETTER).encoded if item.name == "wage_band" else item.encoded
        for item in map(Disclosed.decode, disclosures)
    ]
    changed = bundle.with_certificate("~".join([token, *better, binding]))
    expect = Expectation(consumer=town.pilot.cast.bank, nonce=nonce)
    failed = town.ledger.verification.verify(changed.to_bytes(), expect).report.first_failure
    assert failed is not None and failed.number == 4


def test_attack_the_platform_cannot_sign_as_the_provider(town: Town) -> None:
    """The platform has an earlier answer of the provider, but not the provider's key."""
    (consent,) = town.consents("43")
    supply = town.provider().answer(town.platform.task(consent), Files())
    claims = with_value([Disclosed.decode(item) for item in supply.disclosures], fresh)
    digests = {item.name: disclosure_digest(item.encoded) for item in claims}
    forged = replace(
        supply, entry=supply.entry | {"claims": digests}, disclosures=tuple(item.encoded for item in claims)
    )
    with pytest.raises(PingzhengError, match="SIGNER_NOT_PROVIDER"):
        town.ledger.usage.provisions.submit([forged])


def test_attack_the_platform_cannot_swap_the_subject(town: Town) -> None:
    """In protocol 1, the provider supplied the data of any subject that the platform named."""
    ours, theirs = (town.platform.task(consent) for consent in town.consents("44", "45"))
    files = Files()
    with pytest.raises(PingzhengError, match="SUBJECT_OPENING_DIFFERS"):
        town.provider(registry=None).answer(replace(ours, opening=theirs.opening), files)
    assert files.asked == []
    assert town.answers.waiting() == []
