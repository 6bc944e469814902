"""The service refuses a list of new parties that the contract would refuse, before it writes anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind
from ledger.errors import Conflict, InvalidInput
from ledger.installation.wiring import Ledger
from ledger.parties.custody import new_key, signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.parties.newcomers import NewParty
from tests.support.actors.pilots import Pilot


def firms(ledger: Ledger, *serials: int) -> list[NewParty]:
    """Return new firms with these serial numbers; the installation keeps the firms' keys."""
    accounts = ledger.custody.create(len(serials))
    return [
        NewParty(PartyKind.ENTERPRISE, f"某公司{serial}", synthetic_uscc("440881", serial), "440881", public_key)
        for serial, public_key in zip(serials, map(ledger.custody.public_key, accounts), strict=True)
    ]


@pytest.mark.parametrize("same", ["identifier", "identifier and key", "key", "further key"])
def test_the_error_names_a_repeated_party_or_key_and_nothing_is_proposed(pilot: Pilot, same: str) -> None:
    ledger = pilot.ledger
    one, other, again = firms(ledger, 9_901, 9_902, 9_903)
    match same:
        case "identifier":
            again = replace(again, identifier=one.identifier)
        case "identifier and key":
            again = one
        case "key":
            again = replace(again, public_key=one.public_key)
        case "further key":
            again = replace(again, further_keys=((one.public_key, ""),))
    before = ledger.reader.batched("latest").proposal_count()()
    with pytest.raises(InvalidInput) as caught:
        ledger.parties.onboarding.onboard(ledger.authority, [one, other, again])
    assert (caught.value.code, caught.value.where) == ("PARTY_REPEATED", "party 3 and party 1")
    assert ledger.reader.batched("latest").proposal_count()() == before
    made = ledger.parties.onboarding.onboard(ledger.authority, firms(ledger, 9_901, 9_902))
    assert all(each.no for each in made)


def test_the_platform_may_only_rotate_to_a_key_that_its_service_keeps(pilot: Pilot) -> None:
    ledger = pilot.ledger
    own = ledger.installation.operator
    elsewhere = signer_of_key(new_key())
    proof = possession_of(ledger.reader.chain, elsewhere, ledger.reader.party_no(own))
    acting = ledger.actor(own)
    with pytest.raises(Conflict) as caught:
        ledger.parties.keys.rotate(acting, own, elsewhere.public_key, proof)
    assert caught.value.code == "OWN_KEY_ELSEWHERE"
    with pytest.raises(Conflict) as caught:
        ledger.parties.keys.recover(ledger.authority, own, elsewhere.public_key, proof)
    assert caught.value.code == "OWN_KEY_ELSEWHERE"
    assert elsewhere.kid not in {key.account for key in ledger.parties.keys.history(own)}
