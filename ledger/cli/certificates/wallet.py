"""``pingzheng wallet``: keep a subject's certificates in one encrypted file, and present them without a ledger.

Only the command ``export`` opens a ledger. The other commands need only the wallet file.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.certificates import holdings_options as by
from ledger.cli.certificates.options import BundleOut, Fields, Nonce, Number
from ledger.cli.shell.files import key_in, parsed, signer_of
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import PARTY_ID, party_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, local_time
from ledger.cli.shell.passphrases import NEW_PASSPHRASE, NewPassphraseFile, PassphraseFile, passphrase_of
from ledger.domain.codes import check_certificate_no
from ledger.errors import InvalidInput
from ledger.proof.jws import Signer
from ledger.proof.sdjwt import parse_certificate
from ledger.proof.suites.suite import ES256, ES256K
from ledger.usage.holdings.filter import HoldingsFilter
from ledger.wallet.bundle_files import MAX_BUNDLES_BYTES, bundles_in
from ledger.wallet.file import WalletFile
from ledger.wallet.wallet import HolderKey, Wallet

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger

app = Group()

File = Annotated[Path, typer.Option("--wallet", envvar="PINGZHENG_WALLET", help="The wallet file.", show_default=True)]
Key = Annotated[Path | None, typer.Option(help="The holder's private key file. The key is stored in the wallet.")]
HERE = Path("holder.wallet")


@app.command()
def export(
    party: Annotated[str, typer.Option(help="The holder: party id or USCC.", show_default=False)],
    scenario: by.Scenario = None,
    cls: by.Class = None,
    state: by.State = None,
    key: Key = None,
    with_key: Annotated[
        bool,
        typer.Option(
            "--with-key",
            help="Also put the party's private key into the wallet, if this installation keeps it (demo).",
        ),
    ] = False,
    wallet: File = HERE,
    passphrase_file: PassphraseFile = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """将主体为某一参与方的凭证放入该方的钱包；没有钱包的，新建一个。Put the certificates of which a party is the
    subject into the party's wallet. If there is no wallet, it is created.

    示例 Example:  pingzheng wallet export --party 91440803MA9X0002X5 --state active --wallet firm.wallet
    """
    file, kept = WalletFile(wallet), _key(key)
    passphrase = passphrase_of(passphrase_file, new=not file.exists())
    with opened(home, as_json) as ledger:
        holder = party_of(ledger, party)
        taken = ledger.usage.holder_bundles.all(holder, HoldingsFilter(scenario=scenario, cls=cls, state=state))
        if with_key:
            kept = _custody_key(ledger, holder)
    after = file.change(passphrase, lambda before: _with_key(before.adding(taken.bundles), kept))
    emit(_summary(wallet, after) | {"added": len(taken.bundles), "left_out": list(taken.left_out)}, as_json)


@app.command()
def add(
    bundles: Annotated[
        list[Path],
        typer.Argument(help="Files that contain bundles: one bundle, or one on each line.", show_default=False),
    ],
    key: Key = None,
    wallet: File = HERE,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """把平台交给主体的完整凭证包加入钱包；没有钱包的，新建一个。Add full bundles to a wallet, as the platform gave them
    to the subject. If there is no wallet, it is created.

    示例 Examples:  pingzheng wallet add bundle.json · pingzheng wallet add holdings.jsonl --key firm.key
    """
    file, kept = WalletFile(wallet), _key(key)
    read = [bundle for path in bundles for bundle in parsed(path, MAX_BUNDLES_BYTES, bundles_in)]
    passphrase = passphrase_of(passphrase_file, new=not file.exists())
    after = file.change(passphrase, lambda before: _with_key(before.adding(read), kept))
    emit(_summary(wallet, after) | {"added": len(read)}, as_json)


@app.command("list")
def listing(wallet: File = HERE, passphrase_file: PassphraseFile = None, as_json: AsJson = False) -> None:
    """列出钱包中的凭证；凭证后来是否被撤销或使用过，须查链上的记录。List the certificates in a wallet. Only the chain
    shows whether a certificate was later revoked or used.

    示例 Example:  pingzheng wallet list --wallet firm.wallet
    """
    held = WalletFile(wallet).open(passphrase_of(passphrase_file))
    rows = [_row(held, number) for number in sorted(held.certificates)]
    emit_rows(rows, as_json, "钱包 Wallet")


@app.command()
def show(
    number: Number,
    out: Annotated[
        Path | None, typer.Option(help="Also write the full bundle to this file. It is not bound to a consumer.")
    ] = None,
    wallet: File = HERE,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """查看一张凭证，以及可以披露的全部字段。Show one certificate with all fields that it can disclose.

    示例 Example:  pingzheng wallet show DAC-440802-2026-S51-00000001-K --wallet firm.wallet
    """
    held = WalletFile(wallet).open(passphrase_of(passphrase_file))
    bundle, parts = held.read(check_certificate_no(number))
    seen = {"state": bundle.status.state, "block": bundle.status.block}
    shown = _row(held, number) | {
        "purpose": parts.claims["purpose"],
        "disclosable": {item.name: item.value for item in parts.disclosures},
        "status_seen": seen,
    }
    if out is not None:
        out.write_bytes(bundle.to_bytes())
        shown |= {"file": str(out)}
    emit(shown, as_json, number)


@app.command()
def present(
    number: Number,
    consumer: Annotated[str, typer.Option(help="The consumer's party id.", show_default=False)],
    nonce: Nonce,
    fields: Fields = None,
    out: BundleOut = Path("bundle.json"),
    key: Annotated[
        Path | None, typer.Option(help="The holder's private key file; default: the key in the wallet.")
    ] = None,
    wallet: File = HERE,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """向一个使用方出示凭证：用持有人的密钥对该使用方给出的随机串签名，并写出凭证包；不需要账本、链和网络。Present a
    certificate to one consumer: sign the consumer's nonce with the holder's key, and write the bundle to a file. This
    needs no ledger, chain or network.

    示例 Example:  pingzheng wallet present DAC-440802-2026-S51-00000001-K --consumer 9f…9f --nonce n-0S6_WzA2Mj
    --fields wage_band --wallet firm.wallet
    """
    if not PARTY_ID.fullmatch(consumer):
        raise InvalidInput("PARTY_ID_FORM", "The consumer's party id must have 64 hex digits.", where="--consumer")
    held = WalletFile(wallet).open(passphrase_of(passphrase_file))
    made = held.present(
        check_certificate_no(number),
        None if fields is None else [name for name in fields.split(",") if name],
        consumer=consumer,
        nonce=nonce,
        at=int(time.time()),
        holder=None if key is None else signer_of(key),
    )
    out.write_bytes(made.to_bytes())
    disclosed = [item.name for item in parse_certificate(made.certificate).disclosures]
    emit({"file": str(out), "certificate_no": number, "consumer": consumer, "disclosed": disclosed}, as_json)


@app.command()
def passphrase(
    wallet: File = HERE,
    passphrase_file: PassphraseFile = None,
    new_passphrase_file: NewPassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """更改钱包的口令；以前的副本仍用旧口令打开。Change a wallet's passphrase. Earlier copies of the wallet file can
    still be opened with the old passphrase.

    示例 Example:  pingzheng wallet passphrase --wallet firm.wallet
    """
    old = passphrase_of(passphrase_file)
    new = passphrase_of(new_passphrase_file, NEW_PASSPHRASE, new=True)
    emit(_summary(wallet, WalletFile(wallet).change_passphrase(old, new)), as_json)


def _row(held: Wallet, number: str) -> dict[str, Any]:
    _, parts = held.read(number)
    claims = parts.claims
    return {
        "certificate_no": number,
        "class": claims["class"],
        "scenario": claims["scenario"],
        "consumer": claims.get("consumer"),
        "fields": len(parts.disclosures),
        "expires": local_time(claims["exp"]),
        "valid": claims["nbf"] <= time.time() < claims["exp"],
    }


def _summary(path: Path, held: Wallet) -> dict[str, Any]:
    return {"wallet": str(path), "certificates": len(held.certificates), "key": held.key is not None}


def _with_key(held: Wallet, key: HolderKey | None) -> Wallet:
    return held if key is None else held.keeping(key)


def _key(path: Path | None) -> HolderKey | None:
    if path is None:
        return None
    private_key, signer = key_in(path)
    return _holder_key(private_key, signer)


def _custody_key(ledger: Ledger, party: str) -> HolderKey:
    account = ledger.parties.register.get(party).account
    return _holder_key(ledger.custody.private_key(account), ledger.custody.signer(account))


def _holder_key(private_key: bytes, signer: Signer) -> HolderKey:
    alg = signer.algorithm["alg"]
    if alg not in (ES256.alg, ES256K.alg):
        raise InvalidInput(
            "WALLET_KEY_SUITE",
            f"A wallet keeps keys of {ES256.alg} and {ES256K.alg}, not of {alg}.",
            where="key",
            hint="Keep the key in its own file, and give that file with `--key` to present a certificate.",
        )
    return HolderKey(private_key, signer.kid, alg)
