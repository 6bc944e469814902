"""A subject exports its certificates to a wallet and presents them without the ledger."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.errors import Conflict
from ledger.proof.bundle import parse_bundle
from ledger.proof.report import Report
from ledger.proof.sdjwt import parse_certificate
from ledger.proof.verifier import Expectation
from ledger.wallet.file import WalletFile
from tests.support.actors.pilots import Pilot
from tests.support.actors.wallets import CHEAP, PASSPHRASE
from tests.support.bundles.sd_jwt_library import Verifier

FIELDS = ("wage_band", "years_covered")


@dataclass(frozen=True)
class Taken:
    """A certificate's number, and a folder outside the ledger that has the holder's wallet."""

    pilot: Pilot
    number: str
    folder: Path

    def run(self, *arguments: str) -> tuple[int, Any]:
        """Run a wallet command without a ledger, and return its JSON output."""
        options = ["--wallet", str(self.folder / "firm.wallet"), "--passphrase-file", str(self.folder / "passphrase")]
        home = self.folder / "var"
        result = CliRunner().invoke(
            app, ["wallet", *arguments, *options, "--json"], env={"PINGZHENG_HOME": str(home)}, catch_exceptions=False
        )
        assert not home.exists()
        return result.exit_code, json.loads(result.stdout)

    def presented(self, nonce: str, *arguments: str) -> bytes:
        """Present the certificate from the wallet to the bank, and return the presented bundle."""
        out, bank = self.folder / "bundle.json", self.pilot.cast.bank
        found = ["--consumer", bank, "--nonce", nonce, "--fields", ",".join(FIELDS), "--out", str(out)]
        with pytest.MonkeyPatch.context() as patch:
            # Other tests move the chain's clock ahead, so the wallet uses the chain's clock instead of the machine's
            # clock.
            patch.setattr("ledger.cli.certificates.wallet.time", SimpleNamespace(time=self.pilot.ledger.clock))
            code, answer = self.run("present", self.number, *found, *arguments)
        assert (code, answer["disclosed"]) == (0, list(FIELDS)), answer
        return out.read_bytes()

    def checked(self, raw: bytes, consumer: str, nonce: str) -> Report:
        return self.pilot.ledger.verification.verify(raw, Expectation(consumer=consumer, nonce=nonce)).report


@pytest.fixture(scope="module")
def taken(pilot: Pilot, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    (here / "passphrase").write_text(PASSPHRASE + "\n", "utf-8")
    options = ["--wallet", str(here / "firm.wallet"), "--passphrase-file", str(here / "passphrase")]
    options += ["--home", str(pilot.ledger.settings.home), "--json"]
    exported = CliRunner().invoke(
        app, ["wallet", "export", "--party", pilot.cast.firms[firm], "--with-key", *options], catch_exceptions=False
    )
    assert exported.exit_code == 0, exported.output
    answer = json.loads(exported.stdout)
    assert (answer["certificates"], answer["key"], answer["added"], answer["left_out"]) == (1, True, 1, [])
    for name in ("firm.wallet", "passphrase"):
        (here / name).rename(there / name)
    # The wallet gets a cheap key derivation, which makes the tests faster.
    WalletFile(there / "firm.wallet", CHEAP).change_passphrase(PASSPHRASE, PASSPHRASE)
    return Taken(pilot, number, there)


def test_a_wallet_lists_and_shows_its_certificates(taken: Taken) -> None:
    code, rows = taken.run("list")
    # A wallet uses the machine's clock. If other tests have moved the chain's clock ahead, the certificate is not valid
    # yet at the machine's time, and the wallet must list it as not valid.
    begun = taken.pilot.ledger.usage.holdings.get(taken.number).created_at <= time.time()
    assert (code, [(row["certificate_no"], row["valid"]) for row in rows]) == (0, [(taken.number, begun)])
    code, shown = taken.run("show", taken.number)
    assert code == 0 and shown["disclosable"]["wage_band"] == "15–20"


def test_a_presentation_from_a_wallet_counts_one_use(taken: Taken) -> None:
    verification, bank = taken.pilot.ledger.verification, taken.pilot.actor(taken.pilot.cast.bank)
    nonce = verification.new_nonce()
    raw = taken.presented(nonce)
    elsewhere, stale = taken.pilot.cast.other_bank, verification.new_nonce()
    assert taken.checked(raw, elsewhere, nonce).result == "not_party"
    failure = taken.checked(raw, bank.party, stale).first_failure
    assert failure is not None and (failure.number, failure.code) == (10, "KEY_BINDING_DIFFERS")
    # If the verifier's nonce is not the nonce in the presentation, no use is counted. If the nonces are equal, one use
    # is counted.
    assert not verification.accept(bank, raw, stale).report.valid
    report = verification.accept(bank, raw, nonce).report
    assert report.valid and list(report.disclosed) == list(FIELDS)
    with pytest.raises(Conflict, match="NONCE_REPLAYED"):
        verification.accept(bank, raw, nonce)
    fresh = verification.new_nonce()
    assert verification.accept(bank, taken.presented(fresh), fresh).report.result == "used_up"


def test_an_independent_library_verifies_a_wallets_presentation(taken: Taken) -> None:
    nonce, bank = taken.pilot.ledger.verification.new_nonce(), taken.pilot.cast.bank
    bundle = parse_bundle(taken.presented(nonce))
    issuer = JWK(**bundle.keys[parse_certificate(bundle.certificate).issued.kid].to_dict())
    payload = Verifier(bundle.certificate, lambda *_: issuer, bank, nonce).get_verified_payload()
    assert payload["certificate_no"] == taken.number
    assert {name for name in payload["fields"] if name in payload} == set(FIELDS)
    for audience, expected in ((taken.pilot.cast.other_bank, nonce), (bank, "another nonce")):
        with pytest.raises(ValueError, match="Invalid"):
            Verifier(bundle.certificate, lambda *_: issuer, audience, expected).get_verified_payload()


def test_a_wallet_presents_a_certificate_only_to_its_consumer_and_discloses_only_known_fields(
    taken: Taken,
) -> None:
    others = ["--consumer", taken.pilot.cast.other_bank, "--nonce", "n" * 16]
    code, answer = taken.run("present", taken.number, *others)
    assert (code, answer["error"]) == (2, "NOT_PARTY")
    own = ["--consumer", taken.pilot.cast.bank, "--nonce", "n" * 16]
    code, answer = taken.run("present", taken.number, *own, "--fields", "wage_band,phone")
    assert (code, answer["error"]) == (2, "FIELD_OUTSIDE_AUTHORIZATION")


def test_the_wallet_file_contains_no_readable_personal_data(taken: Taken) -> None:
    raw = (taken.folder / "firm.wallet").read_bytes()
    _, shown = taken.run("show", taken.number)
    answer = [taken.number, shown["disclosable"]["subject_name"], shown["disclosable"]["subject_uscc"]]
    assert not [text for text in answer if text.encode() in raw]
