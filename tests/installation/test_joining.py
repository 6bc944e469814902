"""Joining another operator's chain: who may join, who gets an error, and what a joined installation cannot do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from ledger.certificates.tables import Presentation
from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.contracts.deployment import CERTIFICATE_LOG, CONTRACTS, Deployment
from ledger.chain.local.node import FUNDS_WEI
from ledger.cli.main import app
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, Misconfigured, NotFound, PingzhengError, Unauthenticated
from ledger.installation.joining import join
from ledger.installation.membership import Membership
from ledger.installation.settings import Settings
from ledger.installation.tables import METADATA
from ledger.installation.wiring import Ledger, open_ledger, open_participant
from ledger.store.tables import Entry, LedgerIdentity
from tests.support.actors.pilots import Pilot
from tests.support.actors.signing_in import signed_in, signer_of, token_of
from tests.support.chain.deployed import TestParty
from tests.support.chain.impostors import born_with_a_key, secret_registry
from tests.support.ledgers.joined import joined, presentations

NUMBER = "DAC-440802-2026-S01-00000123-V"


def key_of(pilot: Pilot, party: str) -> bytes:
    return pilot.ledger.custody.private_key(pilot.ledger.parties.register.get(party).account)


def money(pilot: Pilot, key: bytes) -> bytes:
    """Give the key's account money for gas, and return the key unchanged."""
    pilot.ledger.client.connection.ask("hardhat_setBalance", account_of(key), hex(FUNDS_WEI))
    return key


def replaced(pilot: Pilot) -> bytes:
    """Return a bank's former key, which was replaced by another key."""
    bank = pilot.party(PartyKind.BANK, Role.CONSUMER)
    old = key_of(pilot, bank)
    pilot.ledger.parties.keys.rotate(
        pilot.ledger.actor(bank), bank, pilot.ledger.custody.public_key(*pilot.ledger.custody.create())
    )
    return money(pilot, old)


def reported(pilot: Pilot) -> bytes:
    """Return a bank's key that the bank has reported as lost."""
    bank = pilot.party(PartyKind.BANK, Role.CONSUMER)
    pilot.ledger.parties.keys.report(pilot.ledger.actor(bank), bank, pilot.ledger.parties.register.get(bank).account)
    return money(pilot, key_of(pilot, bank))


def suspended(pilot: Pilot) -> bytes:
    """Return the key of a suspended bank."""
    bank = pilot.party(PartyKind.BANK, Role.CONSUMER)
    pilot.ledger.parties.role_changes.set_status(pilot.ledger.authority, bank, "suspended", "investigation")
    return money(pilot, key_of(pilot, bank))


REFUSED: list[tuple[str, Callable[[Pilot], bytes]]] = [
    ("PARTY_UNKNOWN_ACCOUNT", lambda pilot: money(pilot, new_private_key())),
    ("ACCOUNT_RETIRED", replaced),
    ("ACCOUNT_RETIRED", reported),
    ("PARTY_NOT_ACTIVE", suspended),
    ("PARTY_LACKS_ROLE", lambda pilot: money(pilot, key_of(pilot, pilot.cast.registrar))),
    ("ACCOUNT_WITHOUT_FUNDS", lambda pilot: key_of(pilot, pilot.party(PartyKind.BANK, Role.CONSUMER))),
]


def deployment_of(pilot: Pilot) -> Path:
    return pilot.ledger.settings.home / "deployment.json"


@pytest.mark.parametrize(("code", "key"), REFUSED, ids=[code for code, _ in REFUSED])
def test_a_refused_join_gives_the_reason_and_leaves_no_files(
    pilot: Pilot, tmp_path: Path, code: str, key: Callable[[Pilot], bytes]
) -> None:
    url = pilot.ledger.client.connection.url
    with pytest.raises((Forbidden, Misconfigured)) as caught:
        join(Settings(home=tmp_path / "home"), deployment_of(pilot), url, key(pilot))
    assert caught.value.code == code
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("chain_id", 5, "CHAIN_ID_CHANGED"),
        ("genesis_hash", "e" * 64, "CHAIN_GENESIS_CHANGED"),
        ("origin", "e" * 64, "LEDGER_DIFFERS"),
        ("creations", dict.fromkeys(CONTRACTS, "e" * 64), "CONTRACT_CREATION_UNKNOWN"),
        ("creations", {}, "DEPLOYMENT_INVALID"),
    ],
)
def test_a_deployment_on_another_chain_is_not_joined(
    pilot: Pilot, tmp_path: Path, member: str, value: object, code: str
) -> None:
    answer = json.loads(deployment_of(pilot).read_text()) | {member: value}
    (tmp_path / "other.json").write_text(json.dumps(answer))
    with pytest.raises(PingzhengError, match=code):
        join(
            Settings(home=tmp_path / "home"),
            tmp_path / "other.json",
            pilot.ledger.client.connection.url,
            key_of(pilot, pilot.cast.bank),
        )
    assert not (tmp_path / "home").exists()


IMPOSTORS: dict[str, Callable[[str, Deployment, TestParty], Deployment]] = {
    "CONTRACT_IMMUTABLE_MISMATCH": lambda url, like, by: secret_registry(url, like, CERTIFICATE_LOG, by),
    "CONTRACT_CREATION_MISMATCH": born_with_a_key,
}


@pytest.mark.parametrize("code", IMPOSTORS)
def test_attack_a_bank_does_not_join_contracts_that_others_control(pilot: Pilot, tmp_path: Path, code: str) -> None:
    """In one case the certificate log uses a registry other than the one in the deployment file. In the other case the
    registry was created with a hidden key that no event names.
    """
    ledger, url = pilot.ledger, pilot.ledger.client.connection.url
    account = ledger.client.account
    deployer = TestParty(1, ledger.party, ledger.custody.private_key(account).hex(), account)
    IMPOSTORS[code](url, ledger.reader.deployment, deployer).save(tmp_path / "deployment.json")
    with pytest.raises(Misconfigured, match=code):
        join(Settings(home=tmp_path / "home"), tmp_path / "deployment.json", url, key_of(pilot, pilot.cast.bank))
    assert not (tmp_path / "home").exists()


def test_the_folder_of_a_joined_installation_cannot_be_used_for_a_second_installation(
    pilot: Pilot, tmp_path: Path
) -> None:
    first = joined(pilot, tmp_path / "home", pilot.cast.bank)
    assert joined(pilot, tmp_path / "home", pilot.cast.bank) == first
    with pytest.raises(PingzhengError, match="HOME_TAKEN"):
        joined(pilot, tmp_path / "home", pilot.cast.other_bank)
    with pytest.raises(PingzhengError, match="HOME_TAKEN"):
        joined(pilot, pilot.ledger.settings.home, pilot.cast.bank)
    assert Membership.of(tmp_path / "home") == first
    assert Membership.of(pilot.ledger.settings.home) is None
    for private in (tmp_path / "home", tmp_path / "home" / "joined.json"):
        assert private.stat().st_mode & 0o077 == 0


def test_a_joined_installation_does_not_accept_another_ledgers_deployment(pilot: Pilot, tmp_path: Path) -> None:
    """The installation refuses to join again with another deployment, and refuses a deployment file that
    was replaced.
    """
    home = tmp_path / "home"
    joined(pilot, home, pilot.cast.bank)
    assert Membership.of(home).ledger == pilot.ledger.reader.chain.ledger
    file = home / "deployment.json"
    real = file.read_text()
    file.write_text(json.dumps(json.loads(real) | {"origin": "e" * 64}))
    with pytest.raises(PingzhengError, match="HOME_TAKEN"):
        joined(pilot, home, pilot.cast.bank)
    with pytest.raises(Misconfigured, match="LEDGER_DIFFERS"), open_participant(Settings(home=home)):
        pass
    file.write_text(real)
    with open_participant(Settings(home=home)) as bank:
        assert bank.party == pilot.cast.bank


def test_a_provider_joins_and_verifies_certificates_based_on_its_data(pilot: Pilot, tmp_path: Path) -> None:
    firm, provider = pilot.firm(), pilot.cast.provider
    number = pilot.certificate(firm)
    ((raw, nonce),) = presentations(pilot, firm, number)
    joined(pilot, tmp_path / "home", provider)
    with open_participant(Settings(home=tmp_path / "home")) as installation:
        assert installation.party == provider
        report = installation.verification.check(installation.actor(provider), raw, nonce).report
        assert (report.genuine, report.result) == (True, "not_party")
        assert installation.verification.signs_for(provider)
        with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
            installation.verification.accept(installation.actor(pilot.cast.bank), raw, nonce)


def test_a_party_with_a_new_key_joins_again(pilot: Pilot, tmp_path: Path) -> None:
    bank, home = pilot.party(PartyKind.BANK, Role.CONSUMER), tmp_path / "home"
    joined(pilot, home, bank)
    pilot.ledger.parties.keys.rotate(
        pilot.ledger.actor(bank), bank, pilot.ledger.custody.public_key(*pilot.ledger.custody.create())
    )
    with open_participant(Settings(home=home)) as installation:
        account = installation.inspection.readiness()["account"]
        assert (account["ok"], account["code"]) == (False, "ACCOUNT_RETIRED")
    fresh = joined(pilot, home, bank)
    with open_participant(Settings(home=home)) as installation:
        assert installation.client.account == fresh.account == pilot.ledger.parties.register.get(bank).account
        assert installation.inspection.readiness()["account"]["ok"]


def test_a_joined_installation_can_only_verify_and_record_uses(pilot: Pilot, tmp_path: Path) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    ((raw, nonce),) = presentations(pilot, firm, number)
    joined(pilot, tmp_path / "home", pilot.cast.bank)
    issuer = pilot.ledger.installation.issuer
    before = pilot.ledger.reader.batch_count(issuer)
    with open_participant(Settings(home=tmp_path / "home")) as bank:
        assert not isinstance(bank, Ledger)
        assert bank.verification.check(bank.actor(bank.party), raw, nonce).report.valid
        block = bank.reader.block_number()
        assert bank.verification.accept(bank.actor(bank.party), raw, nonce).report.valid
        assert bank.reader.block_number() == block + 1
        checks = bank.inspection.readiness()
        assert all(check["ok"] for check in checks.values())
        assert checks["anchoring"] == {"ok": True, "ours": False}
        head = bank.inspection.head()
        assert head == pilot.ledger.inspection.head() | {"entries_waiting": 0}
        with bank.database.read() as session:
            counts = {
                table.name: session.scalar(select(func.count()).select_from(table)) for table in METADATA.sorted_tables
            }
        written = {Presentation.__tablename__, LedgerIdentity.__tablename__}
        assert {name for name, count in counts.items() if count} == written
    assert counts[Presentation.__tablename__] == 2
    assert counts[Entry.__tablename__] == 0
    assert pilot.ledger.reader.batch_count(issuer) == before


def test_a_joined_installation_refuses_the_operators_acts(pilot: Pilot, tmp_path: Path) -> None:
    joined(pilot, tmp_path / "home", pilot.cast.bank)
    with pytest.raises(Forbidden, match="NOT_THE_OPERATOR"), open_ledger(Settings(home=tmp_path / "home")):
        pass


def test_only_the_party_of_a_joined_installation_can_sign_in_there(pilot: Pilot, tmp_path: Path) -> None:
    joined(pilot, tmp_path / "home", pilot.cast.bank)
    other = pilot.cast.other_bank
    with open_participant(Settings(home=tmp_path / "home")) as bank:
        caller = bank.callers.of(token_of(bank, bank.party))
        assert (caller.party, caller.roles) == (pilot.cast.bank, {Role.CONSUMER})
        with pytest.raises(Unauthenticated, match="SESSION_KEY_NOT_LIVE"):
            signed_in(bank, other, signer_of(pilot.ledger, other))


def test_a_bank_joins_and_verifies_on_the_command_line(pilot: Pilot, tmp_path: Path) -> None:
    home, ledger = tmp_path / "home", pilot.ledger
    bank = pilot.party(PartyKind.BANK, Role.CONSUMER)

    def run(*arguments: str, at: Path = home) -> tuple[int, str]:
        result = CliRunner().invoke(app, [*arguments, "--home", str(at), "--json"])
        return result.exit_code, result.stdout

    (tmp_path / "bank.key").write_text(key_of(pilot, bank).hex() + "\n")
    joining = (
        "join",
        str(deployment_of(pilot)),
        "--rpc-url",
        ledger.client.connection.url,
        "--key",
        str(tmp_path / "bank.key"),
    )
    code, answer = run(*joining)
    assert (code, json.loads(answer)["error"]) == (2, "ACCOUNT_WITHOUT_FUNDS")
    assert run("party", "fund", bank, at=ledger.settings.home)[0] == 0
    code, answer = run(*joining)
    assert (code, json.loads(answer)["party"]) == (0, bank)
    code, answer = run("status")
    assert (code, json.loads(answer)["anchoring"]) == (0, {"ok": True, "ours": False})
    for command in (("log", "anchor"), ("party", "list"), ("certificate", "list"), ("party", "fund", bank)):
        code, answer = run(*command)
        assert (code, json.loads(answer)["error"]) == (2, "NOT_THE_OPERATOR")
    firm = pilot.firm()
    number = pilot.certificate(firm)
    ((raw, nonce),) = presentations(pilot, firm, number)
    with open_participant(Settings(home=home)) as installation:
        installation.verification.accept(installation.actor(bank), raw, nonce)
    code, answer = run("certificate", "presentations", number)
    (row,) = json.loads(answer)["presentations"]
    assert (code, row["result"], row["consumer"], row["ordinal"]) == (0, "not_party", bank, None)
    assert run("certificate", "presentations", NUMBER)[0] == 2
    table = CliRunner().invoke(app, ["certificate", "presentations", number, "--home", str(home)])
    assert (table.exit_code, "not_party" in table.stdout) == (0, True)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("deployment.json", "DEPLOYMENT_MISSING"),
        ("joined.json", "INSTALLATION_FILE_MISSING"),
        ("keys/accounts.json", "KEY_FILE_MISSING"),
        ("ledger.db", "DATABASE_MISSING"),
    ],
)
def test_a_lost_file_of_the_installation_is_reported_and_not_created_again(
    pilot: Pilot, tmp_path: Path, name: str, code: str
) -> None:
    home = tmp_path / "home"
    joined(pilot, home, pilot.cast.bank)
    for path in home.glob(f"{name}*"):
        path.unlink()
    for _ in range(2):
        with pytest.raises(Misconfigured) as refused, open_participant(Settings(home=home)):
            pass
        assert refused.value.code == code
        assert not (home / name).exists()


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("joined.json", '{"party": 7}', "MEMBERSHIP_DAMAGED"),
        ("joined.json", "", "MEMBERSHIP_DAMAGED"),
        ("keys/accounts.json", "[]", "KEY_FILE_DAMAGED"),
        ("ledger.db", "", "DATABASE_EMPTY"),
    ],
)
def test_the_error_about_a_damaged_file_names_the_file(
    pilot: Pilot, tmp_path: Path, name: str, text: str, code: str
) -> None:
    home = tmp_path / "home"
    joined(pilot, home, pilot.cast.bank)
    (home / name).write_text(text)
    with pytest.raises(Misconfigured) as refused, open_participant(Settings(home=home)):
        pass
    assert refused.value.code == code
    assert (home / name).read_text() == text


def test_a_changed_member_of_the_deployment_file_is_detected(pilot: Pilot, tmp_path: Path) -> None:
    home = tmp_path / "home"
    joined(pilot, home, pilot.cast.bank)
    file = home / "deployment.json"
    changed = json.loads(file.read_text())
    changed["deploy_block"] += 1
    file.write_text(json.dumps(changed))
    with pytest.raises(Misconfigured, match="DEPLOYMENT_CHANGED"), open_participant(Settings(home=home)):
        pass


def test_join_refuses_a_folder_with_other_files(pilot: Pilot, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "notes.txt").write_text("mine")
    with pytest.raises(Conflict, match="HOME_NOT_EMPTY"):
        joined(pilot, home, pilot.cast.bank)
    assert [path.name for path in home.iterdir()] == ["notes.txt"]
