"""Founding a ledger on a shared chain: founders sign files, an installation has at most one founder's key, and the
ledger has a waiting period.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.contracts.deployment import Deployment
from ledger.chain.local.node import LocalNode
from ledger.domain.powers import DEFAULT_DELAY, MIN_DELAY
from ledger.errors import Conflict, Misconfigured
from ledger.installation.home import MARKER
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.parties.custody import signer_of_key
from ledger.parties.offices import FoundingOffice
from ledger.parties.tables import Party, PartyKey
from tests.installation.offices.elsewhere import FAR, Elsewhere, founded, newcomer, office


def three_offices(key: bytes) -> list[FoundingOffice]:
    """Return three founding authorities that keep their own keys; the first authority has the given key."""
    first = FoundingOffice(
        replace(office(key, 0).institution, uscc="11440800MB9X00015Q"), signer_of_key(key.hex()).public_key
    )
    return [first, *(office(new_private_key(), serial) for serial in range(2))]


@pytest.mark.parametrize("delay", [0, MIN_DELAY - 1])
def test_a_short_waiting_period_is_refused_unless_the_chain_is_local(
    node: LocalNode, tmp_path: Path, delay: int
) -> None:
    founders = [office(new_private_key(), serial) for serial in range(2)]
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=delay)
    with pytest.raises(Misconfigured, match="DELAY_TOO_SHORT"), create_ledger(settings, founders=founders):
        pass
    assert not (tmp_path / "deployment.json").exists()


@pytest.mark.parametrize("serials", [[], [0], [1, 1]])
def test_a_ledger_needs_three_different_founding_authorities(
    node: LocalNode, tmp_path: Path, serials: list[int]
) -> None:
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY)
    founders = [office(new_private_key(), serial) for serial in serials]
    with pytest.raises(Misconfigured, match="OFFICES_MISSING"), create_ledger(settings, founders=founders):
        pass
    assert not (tmp_path / "deployment.json").exists()


def test_two_founding_authorities_with_the_same_key_are_refused(node: LocalNode, tmp_path: Path) -> None:
    settings, key = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY), new_private_key()
    with (
        pytest.raises(Misconfigured, match="OFFICES_MISSING"),
        create_ledger(settings, founders=[office(key, 0), office(key, 1)]),
    ):
        pass


def test_the_waiting_period_is_three_days_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINGZHENG_DELAY", raising=False)
    assert Settings().delay == DEFAULT_DELAY == 72 * 3_600
    monkeypatch.setenv("PINGZHENG_DELAY", "86400")
    assert Settings().delay == MIN_DELAY


def test_the_constructor_registers_the_founders_and_the_operator_can_issue_at_once(ledger: Ledger) -> None:
    assert ledger.reader.officers() == len(ledger.installation.officers) == 3
    records = [ledger.reader.party(number) for number in (1, 2, 3, 4)]
    assert [record.roles for record in records] == [
        ("authority", "admin"),
        ("issuer",),
        ("authority",),
        ("authority",),
    ]
    assert ledger.reader.accreditation(2, "S51") == (1, FAR)
    assert ledger.reader.chain.delay == MIN_DELAY


def test_the_home_folder_has_the_key_of_only_one_founding_authority(ledger: Ledger, elsewhere: Elsewhere) -> None:
    held = [
        each for each in ledger.installation.officers if ledger.parties.register.get(each).account in ledger.custody
    ]
    assert held == [ledger.installation.authority_party]
    assert [path.name for path in (elsewhere.settings.home / "offices").iterdir()] == ["1"]


def test_the_home_folder_has_no_authoritys_key_if_all_authorities_have_their_own_installations(
    node: LocalNode, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY)
    key = new_private_key()
    founded(settings, node, three_offices(key))
    assert not (tmp_path / "offices").exists()
    with open_ledger(settings) as opened:
        assert opened.parties.register.get(opened.installation.authority_party).account == account_of(key)
        with pytest.raises(Conflict, match="SIGNATURE_REQUIRED"):
            opened.parties.onboarding.onboard(opened.authority, [newcomer(opened, 7_001)])


def test_an_sm2_key_waits_until_two_authorities_bind_it(node: LocalNode, tmp_path: Path) -> None:
    """The chain cannot check the operator's SM2 key, so two authorities must bind it; until then the key is unbound."""
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY)
    founded(settings, node, three_offices(new_private_key()))
    for _ in range(2):
        with open_ledger(settings.model_copy(update={"suite": "sm3-sm2"})) as opened:
            keys = opened.parties.keys.history(opened.installation.operator)
            assert [(key.public_key.startswith("sm2:"), key.bound_at is None) for key in keys] == [
                (False, False),
                (True, True),
            ]
            assert opened.reader.proposal_count() == 0


def test_a_ledger_whose_database_lacks_the_founding_parties_does_not_open(elsewhere: Elsewhere, tmp_path: Path) -> None:
    other = elsewhere.settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'empty.db'}"})
    with pytest.raises(Misconfigured, match="DATABASE_MISSING"), open_ledger(other):
        pass
    assert not (tmp_path / "empty.db").exists()
    with closing(sqlite3.connect(tmp_path / "empty.db")) as database:
        database.execute("CREATE TABLE other (id INTEGER)")
    with pytest.raises(Misconfigured, match="DATABASE_EMPTY"), open_ledger(other):
        pass


def test_an_interrupted_founding_is_continued(node: LocalNode, tmp_path: Path) -> None:
    """The program crashes after it deployed the contracts and before the database records the ledger."""
    settings = Settings(home=tmp_path, rpc_url=node.url, delay=MIN_DELAY)
    founders = [office(new_private_key(), serial) for serial in range(2)]
    founded(settings, node, founders)
    before = Deployment.load(tmp_path / "deployment.json")
    with open_ledger(settings) as opened, opened.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM ledger_identity")
        for key in session.scalars(select(PartyKey)):
            key.bound_at = None
    (tmp_path / MARKER).touch()
    with create_ledger(settings, founders=founders) as opened:
        assert opened.reader.deployment == before
        with opened.database.read() as session:
            assert all(key.bound_at for key in session.scalars(select(PartyKey)))
            assert sorted(session.scalars(select(Party.no)), key=str) == [1, 2, 3, 4]
