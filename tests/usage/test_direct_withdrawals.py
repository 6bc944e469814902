"""A subject withdraws without the service, with a bundle, a chain node and its own key; the bank's verification sees
the withdrawal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.chain.contracts.deployment import deployment_of
from ledger.chain.local.node import FUNDS_WEI
from ledger.chain.reading.facts import collect_facts
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.chain.withdrawing import withdraw_by_itself
from ledger.cli.main import app
from ledger.domain.entries import statement_digest
from ledger.errors import Misconfigured
from ledger.proof.bundle import Bundle, parse_bundle
from ledger.proof.facts_needed import facts_needed
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation, verify
from tests.support.actors.pilots import Pilot
from tests.support.chain.reads import use_history


@dataclass(frozen=True, slots=True)
class Held:
    """What the parties have without the service: the bytes of the presented bundle, the nonce, the address of a chain
    node, and the subject's private key.
    """

    raw: bytes
    expect: Expectation
    presented_at: int
    url: str
    key: bytes

    @property
    def bundle(self) -> Bundle:
        return parse_bundle(self.raw)

    def judged(self, at: int | None = None) -> Report:
        """Return the report of a bank that verifies and reads the chain itself. ``at`` is the time to judge for
        (default: the newest block's time).
        """
        connection = Connection(self.url)
        reader = ChainReader(ChainClient(connection, deployment_of(connection, self.bundle.chain)))
        facts = collect_facts(reader, self.bundle)
        return verify(self.raw, facts, facts.block_time if at is None else at, self.expect)


def held(pilot: Pilot, firm: str, *, funded: bool = True) -> Held:
    """Return what a firm and its bank possess without the service, one minute after a presentation."""
    number = pilot.certificate(firm)
    bundle, nonce = pilot.present(firm, number)
    now, connection = pilot.ledger.clock(), pilot.ledger.reader.connection
    account = pilot.ledger.parties.register.get(pilot.cast.firms[firm]).account
    if funded:
        connection.ask("hardhat_setBalance", account, hex(FUNDS_WEI))
    pilot.skip(60)
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    return Held(bundle.to_bytes(), expect, now, connection.url, pilot.ledger.custody.private_key(account))


def test_the_banks_verification_sees_a_withdrawal_made_without_the_service(pilot: Pilot) -> None:
    it = held(pilot, pilot.firm())
    assert it.judged().valid
    (made,) = withdraw_by_itself(it.bundle, it.url, it.key)
    after = it.judged()
    failure = after.first_failure
    assert failure is not None
    assert (failure.number, failure.code) == (11, "AUTHORIZATION_WITHDRAWN")
    assert failure.details["since"] == made.at
    assert (after.result, after.disclosed, after.claims) == ("revoked", {}, {})
    assert it.judged(made.at - 1).valid
    assert it.judged(it.presented_at).valid
    # The service verifies with the same chain, so it reports the withdrawal too.
    assert pilot.ledger.verification.verify(it.raw, it.expect).report.first_failure == failure


def test_a_use_that_was_counted_before_the_withdrawal_stays_recorded(pilot: Pilot) -> None:
    firm = pilot.firm()
    it = held(pilot, firm)
    nonce = str(it.expect.nonce)
    used = pilot.ledger.verification.accept(pilot.actor(pilot.cast.bank), it.raw, nonce)
    assert used.report.valid and used.use is not None
    pilot.skip(60)
    (made,) = withdraw_by_itself(it.bundle, it.url, it.key)
    reader, counter = pilot.ledger.reader, facts_needed(it.bundle).uses
    assert counter is not None
    uses = use_history(reader, reader.party_no(counter[0]), counter[1], block=reader.block_number())
    assert [use.ordinal for use in uses] == [1] and uses[0].at < made.at
    assert it.judged(uses[0].at - 1).valid
    assert [check.number for check in it.judged().checks if check.code in ("USED_UP", "AUTHORIZATION_WITHDRAWN")] == [
        9,
        11,
    ]
    number = str(used.report.certificate_no)
    assert [row.result for row in pilot.ledger.presentations.page(number, None, 10)] == ["valid"]
    history = pilot.ledger.provenances.certificate(number)
    assert history.completeness.complete
    (own,) = [event for event in history.events if event["name"] == "Withdrawn"]
    assert (own["at"], own["by"]) == (made.at, pilot.cast.firms[firm])
    assert own["names"] == {"entry": "authorization"}
    assert [event["name"] for event in history.events].index("Used") < history.events.index(own)


def test_a_withdrawal_by_another_party_has_no_effect(pilot: Pilot) -> None:
    it = held(pilot, pilot.firm())
    statements = [statement_digest(item.statement) for item in it.bundle.evidence]
    bank = pilot.ledger.custody.private_key(pilot.ledger.parties.register.get(pilot.cast.bank).account)
    client = pilot.ledger.client.with_account(bank.hex())
    pilot.ledger.reader.connection.ask("hardhat_setBalance", client.account, hex(FUNDS_WEI))
    for statement in (*statements, pilot.ledger.usage.holdings.get(str(it.judged().certificate_no)).digest):
        client.send(calls.withdraw(statement))
    report = it.judged()
    assert report.valid
    history = pilot.ledger.provenances.certificate(str(report.certificate_no))
    assert "Withdrawn" not in {event["name"] for event in history.events}


def test_a_sanctioned_subject_without_money_can_withdraw(pilot: Pilot) -> None:
    firm = pilot.firm()
    it = held(pilot, firm, funded=False)
    with pytest.raises(Misconfigured, match="ACCOUNT_WITHOUT_FUNDS"):
        withdraw_by_itself(it.bundle, it.url, it.key)
    assert it.judged().valid
    pilot.ledger.parties.role_changes.set_status(
        pilot.ledger.actor(pilot.cast.supervisor), pilot.cast.firms[firm], "sanctioned", "sanction"
    )
    friend = pilot.ledger.custody.create()[0]
    pilot.ledger.reader.connection.ask("hardhat_setBalance", friend, hex(FUNDS_WEI))
    withdraw_by_itself(it.bundle, it.url, it.key, payer=pilot.ledger.custody.private_key(friend))
    assert it.judged().checks[10].code == "AUTHORIZATION_WITHDRAWN"


def test_the_withdraw_direct_command_needs_no_installation(
    pilot: Pilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    it = held(pilot, pilot.firm())
    Path("bundle.json").write_bytes(it.raw)
    Path("subject.key").write_text(it.key.hex() + "\n")
    command = ["consent", "withdraw-direct", "bundle.json", "--key", "subject.key", "--rpc-url", it.url]
    first, again = (CliRunner().invoke(app, [*command, "--json"]) for _ in range(2))
    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    (made,), (known,) = json.loads(first.output), json.loads(again.output)
    assert (made["before"], known["before"]) == (False, True)
    assert {**made, "tx": None, "gas": None, "before": True} == known
    assert it.judged().checks[10].details["since"] == made["at"]
    history = CliRunner().invoke(app, command)
    assert history.exit_code == 0 and "已撤回 Withdrawn (1)" in history.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle.json", "subject.key"]
    unknown = CliRunner().invoke(app, [*command, "--authorization", "NONE", "--json"])
    assert (unknown.exit_code, json.loads(unknown.output)["error"]) == (2, "AUTHORIZATION_UNKNOWN")


def test_the_platform_carries_out_direct_withdrawals_and_revokes_certificates(pilot: Pilot) -> None:
    """Each withdrawal is carried out once; a withdrawal by another party revokes nothing."""
    pilot.ledger.usage.direct_withdrawals.follow()
    firm, other = pilot.firm(), pilot.firm()
    it, neighbour = held(pilot, firm), held(pilot, other)
    (made,) = withdraw_by_itself(it.bundle, it.url, it.key)
    stranger = pilot.ledger.client.with_account(it.key.hex())
    for item in neighbour.bundle.evidence:
        stranger.send(calls.withdraw(statement_digest(item.statement)))
    (ended,) = pilot.ledger.usage.direct_withdrawals.follow()
    assert (ended.id, ended.state) == (made.authorization, "withdrawn")
    number = str(it.judged().certificate_no)
    status = pilot.ledger.verification.status(number)
    assert (status["state"], status["reason"]) == ("revoked", "consent_withdrawn")
    assert it.judged().checks[7].code == "REVOKED"
    assert pilot.ledger.usage.direct_withdrawals.follow() == []
    assert neighbour.judged().valid
