"""The wallet on a disk: one file, readable by its owner alone, replaced whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import InvalidInput
from ledger.wallet.envelope import DEFAULT_COST, MAX_WALLET_BYTES, Cost, check_new_passphrase, seal, unseal
from ledger.wallet.private_file import write_whole
from ledger.wallet.wallet import Wallet


class WalletFile:
    """A wallet file. ``cost`` is what the passphrase costs in files written from now on."""

    def __init__(self, path: Path, cost: Cost = DEFAULT_COST) -> None:
        self._path = path
        self._cost = cost

    def exists(self) -> bool:
        """Whether there is a file of that name."""
        return self._path.exists()

    def open(self, passphrase: str) -> Wallet:
        """The wallet; raises ``InvalidInput`` ``WALLET_MISSING``, ``BadBundle`` ``WALLET_…`` (see ``unseal``)."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(MAX_WALLET_BYTES + 1)
        except (FileNotFoundError, IsADirectoryError):
            raise InvalidInput(
                "WALLET_MISSING",
                "There is no such wallet file.",
                where=str(self._path),
                hint="Make one with `pingzheng wallet export` or `pingzheng wallet add`.",
            ) from None
        return Wallet.from_bytes(unseal(raw, passphrase))

    def change(self, passphrase: str, change: Callable[[Wallet], Wallet]) -> Wallet:
        """Open the wallet, or begin one where there is no file; save what ``change`` makes of it.

        Others who change it wait, so nothing of theirs is lost. Raises as ``open``, and for a new wallet
        ``InvalidInput`` ``PASSPHRASE_UNFIT``.
        """
        with self._locked():
            before = self.open(passphrase) if self.exists() else None
            if before is None:
                check_new_passphrase(passphrase)
            after = change(before or Wallet())
            if after != before:
                self._write(after, passphrase)
        return after

    def change_passphrase(self, old: str, new: str) -> Wallet:
        """Seal the wallet under another passphrase; copies made before still open with the old one."""
        check_new_passphrase(new)
        with self._locked():
            wallet = self.open(old)
            self._write(wallet, new)
        return wallet

    def _write(self, wallet: Wallet, passphrase: str) -> None:
        raw = seal(wallet.to_bytes(), passphrase, self._cost)
        # A link to the file stays one.
        write_whole(self._path.resolve(), raw)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The folder is locked and not the file, which is replaced; no lock file is left behind."""
        folder = os.open(self._path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
