"""A certificate's state is the same in its public status, in lists, on the command line and in a verifier's report."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from ledger.chain.withdrawing import withdraw_by_itself
from ledger.cli.main import app
from ledger.usage.holdings.filter import HoldingsFilter
from tests.certificates.test_holds import Held
from tests.support.actors.pilots import Pilot

GROUNDS = "The content was another party's"


def states(pilot: Pilot, number: str) -> set[str]:
    """Return the states that the certificate has in its public status, in the list of certificates, and in the answer
    of ``pingzheng verify NUMBER``, as a set: if all agree, it has one element.
    """
    ledger = pilot.ledger
    listed = {each.certificate.certificate_no: each.state for each in ledger.usage.holdings.each(HoldingsFilter())}
    printed = CliRunner().invoke(app, ["verify", number, "--json", "--home", str(ledger.settings.home)])
    state = str(json.loads(printed.stdout)["state"])
    assert printed.exit_code == (0 if state == "active" else 1)
    return {listed[number], state, str(ledger.verification.public_status(number)["state"])}


def use_up(pilot: Pilot, held: Held) -> None:
    while pilot.accept(held.firm, held.number).valid:
        pass


def withdraw(pilot: Pilot, held: Held) -> None:
    """As the subject, withdraw the authorization directly on the chain, without the service."""
    ledger = pilot.ledger
    account = ledger.parties.register.get(pilot.cast.firms[held.firm]).account
    bundle, url = ledger.certificates.bundles.build(held.number), ledger.reader.connection.url
    payer = ledger.custody.private_key(ledger.client.account)
    withdraw_by_itself(bundle, url, ledger.custody.private_key(account), payer=payer)


def hold(what: str) -> Callable[[Pilot, Held], None]:
    return lambda pilot, held: pilot.ledger.certificates.holds.hold_statements(
        [getattr(held, what)], "court", pilot.cast.supervisor
    )


@pytest.mark.parametrize(
    ("state", "act"),
    [
        ("used_up", use_up),
        ("revoked", withdraw),
        ("suspended", hold("certificate")),
        ("suspended", hold("request")),
        ("suspended", hold("consent")),
        ("suspended", hold("supplied")),
        ("revoked", lambda pilot, held: pilot.ledger.certificates.status.revoke(held.number, "fraud")),
        ("suspended", lambda pilot, held: pilot.ledger.certificates.status.suspend(held.number, "investigation")),
    ],
)
def test_every_view_of_a_usage_certificate_shows_the_same_state(
    pilot: Pilot, state: str, act: Callable[[Pilot, Held], None]
) -> None:
    held = Held(pilot)
    assert states(pilot, held.number) == {"active"}
    act(pilot, held)
    assert states(pilot, held.number) == {held.report().result} == {state}


def test_the_status_of_a_certificate_shows_since_when_its_consent_is_withdrawn(pilot: Pilot) -> None:
    held = Held(pilot)
    withdraw(pilot, held)
    status, failure = pilot.ledger.verification.status(held.number), held.report().first_failure
    assert failure is not None
    assert (status["reason"], status["since"]) == ("consent_withdrawn", failure.details["since"])


def cancel(pilot: Pilot, asset: str) -> None:
    pilot.ledger.registration.applications.apply(
        pilot.actor(pilot.cast.provider), asset, "cancel", reason="No longer collected"
    )
    registrar, review = pilot.actor(pilot.cast.registrar), pilot.ledger.registration.review
    review.accept(registrar, [asset])
    review.review(registrar, [asset])
    review.confirm(registrar, [asset])


def annul(pilot: Pilot, asset: str) -> None:
    pilot.ledger.registration.transfers.annul(pilot.actor(pilot.cast.registrar), asset, "fraud", GROUNDS)


def freeze(pilot: Pilot, asset: str) -> None:
    pilot.ledger.registration.transfers.freeze(pilot.actor(pilot.cast.supervisor), asset, "court")


@pytest.mark.parametrize(("state", "act"), [("annulled", annul), ("cancelled", cancel), ("suspended", freeze)])
def test_every_view_of_a_registration_certificate_shows_the_state_of_its_asset(
    pilot: Pilot, state: str, act: Callable[[Pilot, str], None]
) -> None:
    asset = pilot.confirmed()
    number = str(pilot.ledger.registration.registrations.get(asset)["certificate_no"])
    assert states(pilot, number) == {"active"}
    act(pilot, asset)
    assert states(pilot, number) == {state}
    failure = pilot.verified(number).first_failure
    assert failure is not None and failure.code == "ASSET_NOT_IN_FORCE"
