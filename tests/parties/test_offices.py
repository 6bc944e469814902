"""The signed files of founding authorities, and the folders that hold these authorities' keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.chain.accounts import new_private_key
from ledger.errors import InvalidInput
from ledger.installation.wiring import Ledger
from ledger.parties.custody import Custody, new_key, signer_of_key
from ledger.parties.offices import MAX_OFFICE_BYTES, dump_office, office_file, read_office
from ledger.proof.jws import sign_entry
from ledger.proof.suites.suite import ES256
from tests.support.ledgers.waiting_ledger import fresh_key, officers, proposed

KEY = new_private_key().hex()
NAME, USCC, REGION = "某某局（演示）", "11440800MB9X00031E", "440800"


def written(**changes: Any) -> bytes:
    """Return the content of a founding file in which ``changes`` were made after it was signed."""
    return json.dumps({**office_file(KEY, NAME, USCC, REGION), **changes}).encode()


def signed(key: str, **members: Any) -> bytes:
    """Return the content of a founding file with the given members, signed with a key."""
    signer = signer_of_key(key)
    file = {"format": "pingzheng-office/1", "name": NAME, "uscc": USCC, "region": REGION, "public_key": ""}
    return json.dumps(sign_entry({**file, "public_key": signer.public_key, **members}, signer)).encode()


def test_a_founding_file_names_the_authority_and_is_signed_with_the_authoritys_key() -> None:
    office = read_office(dump_office(office_file(KEY, NAME, USCC, REGION)).encode())
    assert office.public_key == signer_of_key(KEY).public_key
    assert (office.institution.name, office.institution.uscc, office.institution.region) == (NAME, USCC, REGION)
    assert read_office(signed(KEY)) == office


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b"{" * 100,
        b"x" * (MAX_OFFICE_BYTES + 1),
        written(name="另一局（演示）"),
        written(uscc="11440800MB9X00023K"),
        written(region="440802"),
        written(public_key=signer_of_key(new_private_key().hex()).public_key),
        written(signature=""),
        written(more=1),
        written(format="pingzheng-office/2"),
        signed(KEY, format="pingzheng-office/2"),
        signed(KEY, uscc="11440800MB9X00031A"),
        signed(KEY, region="1"),
        signed(KEY, name=""),
        signed(KEY, name="two\nlines"),
        signed(KEY, public_key=signer_of_key(new_private_key().hex()).public_key),
        signed(new_key(ES256)),
    ],
)
def test_a_founding_file_that_is_malformed_or_not_signed_with_the_key_named_in_it_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match="OFFICE_FILE_INVALID"):
        read_office(raw)


def test_the_keys_of_three_authorities_are_in_three_private_folders(waiting: Ledger) -> None:
    home = waiting.settings.home
    files = sorted((home / "offices").glob("*/accounts.json"))
    assert [file.parent.name for file in files] == ["1", "2", "3"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    held = [Custody(file).accounts for file in files]
    accounts = [[waiting.parties.register.get(each).account] for each in officers(waiting)]
    assert held == accounts
    ours = Custody(home / "keys" / "accounts.json")
    assert not any(account in ours for (account,) in accounts)
    assert all(account in waiting.custody for (account,) in accounts)


def test_an_authority_does_not_confirm_a_proposal_about_itself(waiting: Ledger) -> None:
    first, second, third = officers(waiting)
    row = proposed(waiting.parties.keys.bind(waiting.parties.register.actor(first), second, fresh_key(waiting)))
    assert (row.concerned, row.confirmed_by) == (second, third)
