"""Two programs open one folder at the same time: one runs the chain, the other shares it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger, open_ledger


def test_a_second_program_shares_the_chain_that_the_first_program_started(tmp_path: Path) -> None:
    with create_ledger(Settings(home=tmp_path)):
        pass
    together = Barrier(2)

    def opened(_: int) -> tuple[str, str, str]:
        together.wait()
        with open_ledger(Settings(home=tmp_path)) as ledger:
            found = ledger.client.connection.url, ledger.client.deployment.certificate_log, ledger.party
            # Each program stays open until the other has opened the folder, so that neither stops the chain too early.
            together.wait()
            return found

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(opened, range(2))
    assert first == second
