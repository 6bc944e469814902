"""Sets up an operator on a shared chain, and a second authority that has its own installation."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ledger.chain.local.node import LocalNode
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind
from ledger.errors import Misconfigured
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger
from ledger.parties.custody import Custody, new_key, signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.parties.newcomers import NewParty
from ledger.parties.offices import FoundingOffice, dump_office, office_file, read_office
from ledger.proof.suites.suite import SM2SM3

FAR = 4 * 10**9


def office(key: bytes, serial: int) -> FoundingOffice:
    uscc = ("11440800MB9X00023K", "11440800MB9X00031E")[serial]
    return read_office(dump_office(office_file(key.hex(), f"某局{serial}（演示）", uscc, "440800")).encode())


def founded(settings: Settings, node: LocalNode, founders: list[FoundingOffice]) -> None:
    """Create the ledger; give the operator's account money for gas as soon as the account is known."""
    with pytest.raises(Misconfigured, match="ACCOUNT_WITHOUT_FUNDS"), create_ledger(settings, founders=founders):
        pass
    for account in Custody(settings.keys_folder / "accounts.json").accounts:
        node.fund(account)
    with create_ledger(settings, founders=founders, accreditations={"S51": (1, FAR)}):
        pass


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A ledger on the shared chain, and the home of a second authority's installation that joined this ledger."""

    settings: Settings
    office: Settings
    keys: tuple[bytes, bytes]


def newcomer(ledger: Ledger, serial: int, *, kind: PartyKind = PartyKind.BANK, sm2: bool = False) -> NewParty:
    key = ledger.custody.public_key(*ledger.custody.create())
    further = signer_of_key(new_key(SM2SM3))
    others = ((further.public_key, possession_of(ledger.reader.chain, further)),) if sm2 else ()
    return NewParty(kind, "Elsewhere", synthetic_uscc("440800", serial), "440800", key, further_keys=others)
