"""The wallet file: only its owner can read it, a failed change leaves the old content, and no content gets lost."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.errors import BadBundle, InvalidInput, PingzhengError, StorageFull
from ledger.wallet.file import WalletFile
from ledger.wallet.wallet import Wallet
from tests.support.actors.wallets import ASSET, CHEAP, KEY, NUMBER, PASSPHRASE, USAGE, numbered
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT, BANK, HIDDEN, NONCE
from tests.support.bundles.offline import PROGRAM, REFUSED
from tests.support.places import PROJECT

OTHER = "another passphrase"


def at(folder: Path) -> WalletFile:
    return WalletFile(folder / "holder.wallet", CHEAP)


def begun(folder: Path) -> WalletFile:
    file = at(folder)
    file.change(PASSPHRASE, lambda wallet: wallet.adding([USAGE]).keeping(KEY))
    return file


def test_a_saved_wallet_opens_and_is_readable_only_by_its_owner(tmp_path: Path) -> None:
    held = begun(tmp_path).open(PASSPHRASE)
    assert (held.read(NUMBER)[0], held.key) == (USAGE, KEY)
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KEY.private_key.hex().encode() not in path.read_bytes()


def test_a_certificate_added_to_a_wallet_file_does_not_replace_the_earlier_certificate(tmp_path: Path) -> None:
    file = begun(tmp_path)
    file.change(PASSPHRASE, lambda wallet: wallet.adding([ASSET]))
    assert len(file.open(PASSPHRASE).certificates) == 2


def test_a_change_without_effect_writes_nothing(tmp_path: Path) -> None:
    file, path = begun(tmp_path), tmp_path / "holder.wallet"
    before = path.read_bytes()
    file.change(PASSPHRASE, lambda wallet: wallet.adding([USAGE]))
    assert path.read_bytes() == before


def test_concurrent_changes_of_a_wallet_lose_no_certificate(tmp_path: Path) -> None:
    bundles = [numbered(serial) for serial in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda bundle: at(tmp_path).change(PASSPHRASE, lambda held: held.adding([bundle])), bundles))
    assert len(at(tmp_path).open(PASSPHRASE).certificates) == len(bundles)
    assert [path.name for path in tmp_path.iterdir()] == ["holder.wallet"]


@pytest.mark.parametrize("passphrase", [PASSPHRASE, OTHER], ids=["the change fails", "wrong passphrase"])
def test_a_failed_change_leaves_the_file_unchanged(tmp_path: Path, passphrase: str) -> None:
    file, path = begun(tmp_path), tmp_path / "holder.wallet"
    before = path.read_bytes()
    with pytest.raises(PingzhengError):
        file.change(passphrase, lambda wallet: wallet.adding([usage().bundle]))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_file_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, path = begun(tmp_path), tmp_path / "holder.wallet"
    before = path.read_bytes()

    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ledger.wallet.private_file.os.fsync", full_disk)
    with pytest.raises(StorageFull, match="DISK_FULL"):
        file.change(PASSPHRASE, lambda wallet: wallet.adding([ASSET]))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_changed_passphrase_replaces_the_old_passphrase(tmp_path: Path) -> None:
    file = begun(tmp_path)
    file.change_passphrase(PASSPHRASE, OTHER)
    assert file.open(OTHER).read(NUMBER)[0] == USAGE
    with pytest.raises(BadBundle, match="WALLET_NOT_OPENED"):
        file.open(PASSPHRASE)
    with pytest.raises(BadBundle, match="WALLET_NOT_OPENED"):
        file.change_passphrase(PASSPHRASE, OTHER)
    with pytest.raises(InvalidInput, match="PASSPHRASE_UNFIT"):
        file.change_passphrase(OTHER, "short")


def test_a_new_wallet_needs_a_strong_passphrase_and_an_existing_wallet_needs_its_passphrase(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="PASSPHRASE_UNFIT"):
        at(tmp_path).change("short", lambda wallet: wallet)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["nothing.wallet", "."])
def test_a_missing_wallet_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="WALLET_MISSING"):
        WalletFile(tmp_path / name).open(PASSPHRASE)


def test_a_symbolic_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    begun(tmp_path / "real")
    link = tmp_path / "link.wallet"
    link.symlink_to(tmp_path / "real" / "holder.wallet")
    WalletFile(link, CHEAP).change(PASSPHRASE, lambda wallet: wallet.adding([ASSET]))
    assert link.is_symlink()
    assert len(at(tmp_path / "real").open(PASSPHRASE).certificates) == 2


CUT_OFF = PROGRAM.partition("from pathlib import Path")[0]
PRESENT = f"""{CUT_OFF}
from pathlib import Path
from ledger.wallet.file import WalletFile

wallet, passphrase, number, consumer, nonce, at, out = sys.argv[1:]
held = WalletFile(Path(wallet)).open(passphrase)
made = held.present(number, ["tax_band"], consumer=consumer, nonce=nonce, at=int(at))
Path(out).write_bytes(made.to_bytes())
print([name for name in {REFUSED!r} if name in sys.modules])
"""


def test_a_wallet_presents_without_network_and_database_and_chain(tmp_path: Path) -> None:
    begun(tmp_path)
    wallet, out = tmp_path / "holder.wallet", tmp_path / "bundle.json"
    arguments = [str(wallet), PASSPHRASE, NUMBER, BANK.id, NONCE, str(AT), str(out)]
    done = subprocess.run(
        [sys.executable, "-c", PRESENT, *arguments], capture_output=True, text=True, cwd=PROJECT, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    report = usage().verify_file(out.read_bytes())
    assert report.valid and report.disclosed == {"tax_band": HIDDEN["tax_band"]}


def test_an_empty_wallet_can_be_saved_and_opened(tmp_path: Path) -> None:
    at(tmp_path).change(PASSPHRASE, lambda wallet: wallet)
    assert at(tmp_path).open(PASSPHRASE) == Wallet()
