"""The wallet on disk: one file that only its owner can read. A failed change leaves the file as it was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from ledger.errors import InvalidInput
from ledger.wallet.envelope import DEFAULT_COST, MAX_WALLET_BYTES, Cost, check_new_passphrase, seal, unseal
from ledger.wallet.private_file import alone_in, write_whole
from ledger.wallet.wallet import Wallet


class WalletFile:
    """A wallet file. ``cost`` is the cost of guessing the passphrase, for files that this object writes."""

    def __init__(self, path: Path, cost: Cost = DEFAULT_COST) -> None:
        self._path = path
        self._cost = cost

    def exists(self) -> bool:
        """Return whether the file exists."""
        return self._path.exists()

    def open(self, passphrase: str) -> Wallet:
        """Return the decrypted wallet; raise ``InvalidInput`` ``WALLET_MISSING``, and the errors of ``unseal``."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(MAX_WALLET_BYTES + 1)
        except (FileNotFoundError, IsADirectoryError):
            raise InvalidInput(
                "WALLET_MISSING",
                "There is no wallet file at this path.",
                where=str(self._path),
                hint="Create a wallet with `pingzheng wallet export` or `pingzheng wallet add`.",
            ) from None
        return Wallet.from_bytes(unseal(raw, passphrase))

    def change(self, passphrase: str, change: Callable[[Wallet], Wallet]) -> Wallet:
        """Open the wallet, or begin a new wallet if there is no file; call ``change`` with the wallet, and save what
        ``change`` returns.

        Concurrent changes wait for each other, so that no change is lost. Raises the errors of ``open``, and for a new
        wallet ``InvalidInput`` ``PASSPHRASE_UNFIT``.
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
        """Encrypt the wallet with a new passphrase.

        Earlier copies of the file can still be opened with the old passphrase.
        """
        check_new_passphrase(new)
        with self._locked():
            wallet = self.open(old)
            self._write(wallet, new)
        return wallet

    def _write(self, wallet: Wallet, passphrase: str) -> None:
        raw = seal(wallet.to_bytes(), passphrase, self._cost)
        # The path is resolved first, so that a symbolic link to the file stays a link.
        write_whole(self._path.resolve(), raw)

    def _locked(self) -> AbstractContextManager[None]:
        return alone_in(self._path.resolve().parent)
