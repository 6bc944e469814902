"""Follows docs/guides/keys.md: keys are added, lost and stolen, and in the end only the owner can sign."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.chain.contracts.deployment import Deployment
from ledger.domain.powers import DEFAULT_DELAY
from tests.docs.documents import blocks, commands
from tests.docs.reader import Reader
from tests.support.ledgers.waiting_ledger import proposals_after
from tests.support.places import GUIDES

GUIDE = GUIDES / "keys.md"
FIRM = "91440803MA9X0002X5"


def test_only_the_owners_keys_are_valid_after_the_commands_of_the_keys_guide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # The tests set this variable, but a reader of the guide sets no environment variable.
    monkeypatch.delenv("PINGZHENG_DELAY")
    with ExitStack() as stack:
        reader = Reader(monkeypatch, stack)
        reader.follow(blocks(GUIDE))
        ledger = reader.ledger
        assert ledger is not None
        assert Deployment.load(Path("var/deployment.json")).chain.delay == DEFAULT_DELAY
        party = ledger.reader.party_no(ledger.parties.register.find(FIRM).id)
        speaks = {
            name: record.speaks
            for name in ("FIRM", "PHONE", "TABLET", "NEW")
            if (record := ledger.reader.account(reader.words[f"{name}_ACCOUNT"])) and record.party_no == party
        }
        assert ledger.reader.account(reader.words["THIEF_ACCOUNT"]) is None
        states = {row.kind: row.state for row in proposals_after(ledger)}
    assert reader.ran == len(commands(GUIDE)) >= 48
    assert speaks == {"FIRM": False, "PHONE": True, "TABLET": True, "NEW": False}
    assert states["set_roles"] == "cancelled"
    assert states["change_key"] == "vetoed"
    assert states["end_pause"] == "carried_out"
