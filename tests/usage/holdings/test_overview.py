"""Lists, counts and exports of holdings, with filters for role, provider, scenario, class, state and time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.connectors.tabular import csv_lines
from ledger.installation.wiring import Ledger
from ledger.proof.sdjwt import parse_certificate
from ledger.usage.holdings.filter import HoldingsFilter
from ledger.usage.holdings.overview import Holding, Holdings
from tests.support.actors.credit_bureau import SCENARIO
from tests.support.actors.erasing import text_of
from tests.support.actors.pilots import Pilot


class Held:
    """A firm with four certificates: active, used up, suspended and revoked."""

    def __init__(self, pilot: Pilot) -> None:
        self.pilot = pilot
        self.firm = pilot.firm()
        self.party = pilot.cast.firms[self.firm]
        self.numbers = {state: pilot.certificate(self.firm) for state in ("active", "used_up", "suspended", "revoked")}
        assert pilot.accept(self.firm, self.numbers["used_up"]).valid
        pilot.ledger.certificates.status.suspend(self.numbers["suspended"], "investigation")
        pilot.ledger.certificates.status.revoke(self.numbers["revoked"], "fraud")

    def find(self, **members: Any) -> list[Holding]:
        wanted = HoldingsFilter(**{"party": self.party} | members)
        return self.pilot.ledger.usage.holdings.page(wanted, None, 100)

    def states(self, **members: Any) -> dict[str, str]:
        return {holding.certificate.certificate_no: holding.state for holding in self.find(**members)}


@pytest.fixture(scope="module")
def held(pilot: Pilot) -> Held:
    return Held(pilot)


def test_each_certificate_is_listed_with_its_present_state(held: Held) -> None:
    assert held.states() == {number: state for state, number in held.numbers.items()}


def test_the_state_filter_returns_certificates_in_that_state(held: Held) -> None:
    for state, number in held.numbers.items():
        assert held.states(state=state) == {number: state}
    assert held.states(state="expired") == held.states(state="superseded") == {}


def test_a_certificate_is_expired_after_its_period_unless_it_was_revoked_before(pilot: Pilot, held: Held) -> None:
    later = max(holding.certificate.exp for holding in held.find())
    ledger = pilot.ledger
    then = Holdings(ledger.database, ledger.follower, ledger.parties.principals, lambda: later)
    found = then.page(HoldingsFilter(party=held.party), None, 100)
    states = {holding.certificate.certificate_no: holding.state for holding in found}
    expected = {"active": "expired", "used_up": "expired"}
    assert states == {number: expected.get(state, state) for state, number in held.numbers.items()}


def test_a_holding_contains_the_number_of_uses_and_the_providers(pilot: Pilot, held: Held) -> None:
    by_state = {holding.state: holding for holding in held.find()}
    assert (by_state["used_up"].uses, by_state["active"].uses) == (1, 0)
    assert all(holding.providers == (pilot.cast.provider,) for holding in by_state.values())
    assert all(holding.certificate.max_uses == 1 for holding in by_state.values())


def test_the_filter_by_role_returns_certificates_in_which_the_party_has_that_role(pilot: Pilot, held: Held) -> None:
    mine, cast = set(held.states()), pilot.cast
    parts = {
        "subject": held.party,
        "consumer": cast.bank,
        "provider": cast.provider,
        "issuer": pilot.ledger.installation.operator,
    }
    for part, party in parts.items():
        for other in parts:
            found = set(held.states(party=party, part=other, scenario=SCENARIO))
            assert mine <= found if other == part else mine.isdisjoint(found)
    assert mine.isdisjoint(held.states(party=cast.other_bank))


FILTERS: list[tuple[str, Callable[[Pilot], dict[str, Any]], bool]] = [
    ("its scenario", lambda pilot: {"scenario": SCENARIO}, True),
    ("another scenario", lambda pilot: {"scenario": "S01"}, False),
    ("its class", lambda pilot: {"cls": "usage"}, True),
    ("the other class", lambda pilot: {"cls": "registration"}, False),
    ("its department", lambda pilot: {"provider": pilot.cast.provider}, True),
    ("another department", lambda pilot: {"provider": pilot.cast.registrar}, False),
    ("of everyone, its department", lambda pilot: {"party": None, "provider": pilot.cast.provider}, True),
]


@pytest.mark.parametrize(("change", "kept"), [row[1:] for row in FILTERS], ids=[row[0] for row in FILTERS])
def test_each_filter_returns_only_matching_certificates(
    pilot: Pilot, held: Held, change: Callable[[Pilot], dict[str, Any]], kept: bool
) -> None:
    found = set(held.states(**change(pilot)))
    assert set(held.numbers.values()) <= found if kept else found == set()


def test_the_filter_by_time_of_issue_includes_its_start_and_excludes_its_end(held: Held) -> None:
    issued = [holding.certificate.created_at for holding in held.find()]
    first, last = min(issued), max(issued)
    assert len(held.find(issued_from=first, issued_to=last + 1)) == len(issued)
    assert len(held.find(issued_from=last + 1)) == len(held.find(issued_to=first)) == 0
    assert len(held.find(issued_to=first + 1)) == issued.count(first) or first == last
    ends = {holding.certificate.exp for holding in held.find()}
    assert len(held.find(expires_before=max(ends))) == len(issued)
    assert held.find(expires_before=min(ends) - 1) == []


def test_pages_together_return_every_certificate_once(pilot: Pilot, held: Held) -> None:
    wanted = HoldingsFilter(party=held.party)
    found = [holding.certificate.certificate_no for holding in pilot.ledger.usage.holdings.each(wanted)]
    assert found == sorted(held.numbers.values())
    paged: list[str] = []
    while page := pilot.ledger.usage.holdings.page(wanted, paged[-1] if paged else None, 2):
        paged += [holding.certificate.certificate_no for holding in page]
    assert paged == found


def test_a_superseded_registration_certificate_is_listed_as_superseded(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    buyer = pilot.cast.other_bank
    pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), asset, buyer, None)
    pilot.ledger.registration.transfers.accept(pilot.actor(buyer), asset)
    pilot.ledger.anchoring.flush()
    number = pilot.ledger.registration.registrations.get(asset)["certificate_no"]
    everything = pilot.ledger.usage.holdings.each(HoldingsFilter(party=buyer, part="subject"))
    (bought,) = [holding for holding in everything if holding.certificate.certificate_no == number]
    assert (bought.certificate.cls, bought.state, bought.certificate.max_uses) == ("registration", "active", None)
    wanted = HoldingsFilter(party=pilot.cast.provider, cls="registration", state="superseded")
    sold = [holding.certificate for holding in pilot.ledger.usage.holdings.each(wanted)]
    assert bought.certificate.supersedes in {row.certificate_no for row in sold}


def test_a_summary_counts_the_certificates_of_each_scenario_and_provider(pilot: Pilot, held: Held) -> None:
    found = pilot.ledger.usage.holdings.summary(HoldingsFilter(party=held.party))
    states = dict.fromkeys(sorted(held.numbers), 1)
    assert found["total"] == len(held.numbers)
    assert found["by_scenario"] == [{"scenario": SCENARIO, "certificates": len(held.numbers), "states": states}]
    assert found["by_provider"] == [
        {"provider": pilot.cast.provider, "certificates": len(held.numbers), "states": states}
    ]
    assert pilot.ledger.usage.holdings.summary(HoldingsFilter(party=held.party, state="active"))["total"] == 1


def test_a_summary_of_all_parties_counts_every_certificate_once(pilot: Pilot, held: Held) -> None:
    found = pilot.ledger.usage.holdings.summary(HoldingsFilter())
    assert found["total"] == sum(1 for _ in pilot.ledger.usage.holdings.each(HoldingsFilter()))
    # Registration certificates have no provider, so this sum leaves them out.
    supplied = sum(row["certificates"] for row in found["by_provider"])
    assert supplied == sum(
        len(each.providers) for each in pilot.ledger.usage.holdings.each(HoldingsFilter(cls="usage"))
    )


def test_a_holding_contains_no_personal_data(ledger: Ledger, held: Held) -> None:
    found = str([holding.to_dict() for holding in held.find()])
    identity = ledger.parties.register.identity(held.party)
    assert not [value for value in identity.values() if value in found]


def test_the_subject_exports_certificates_that_are_anchored_and_not_erased(
    ledger: Ledger, pilot: Pilot, held: Held
) -> None:
    firm = pilot.firm()
    party = pilot.cast.firms[firm]
    number, erased = pilot.certificate(firm), pilot.certificate(firm)
    with ledger.database.write() as session:
        ledger.sealer.erase(session, text_of(ledger, erased))
    authorization = pilot.authorise(firm)
    pilot.supply(firm, authorization)
    building = pilot.actors.issue({firm: authorization})[firm]
    assert held.states(party=party) == {number: "active", erased: "active", building: "building"}
    taken = ledger.usage.holder_bundles.all(party, HoldingsFilter(party=held.party, part="consumer"))
    assert taken.bundles == (ledger.certificates.bundles.build(number),)
    assert taken.left_out == (erased, building)
    first = ledger.usage.holder_bundles.page(party, HoldingsFilter(), None, 2)
    assert (first.bundles, first.left_out, first.last) == (taken.bundles, (erased,), erased)
    ledger.anchoring.flush()
    rest = ledger.usage.holder_bundles.page(party, HoldingsFilter(), first.last, 2)
    assert (rest.bundles, rest.left_out, rest.last) == ((ledger.certificates.bundles.build(building),), (), None)


def test_only_the_subject_can_export_its_holdings(ledger: Ledger, pilot: Pilot, held: Held) -> None:
    for party in (pilot.cast.bank, pilot.cast.supervisor):
        taken = ledger.usage.holder_bundles.all(party, HoldingsFilter(party=held.party)).bundles
        subjects = {parse_certificate(bundle.certificate).claims["sub"] for bundle in taken}
        assert held.party not in subjects and subjects <= {party}


RUN_BY_A_SPREADSHEET = ("=", "+", "-", "@", "＝", "＋", "－", "＠", " ", "\t", "\r", "\n")


@given(st.lists(st.text() | st.sampled_from(RUN_BY_A_SPREADSHEET).flatmap(lambda sign: st.text().map(sign.__add__))))
def test_a_csv_file_keeps_every_cell_and_a_spreadsheet_runs_none_as_a_formula(cells: list[str]) -> None:
    lines = list(csv_lines([["first", *cells, 7, None]]))
    (read,) = csv.reader(io.StringIO("".join(lines), newline=""))
    assert not [cell for cell in read if cell.startswith(RUN_BY_A_SPREADSHEET)]
    assert [cell.removeprefix("'") for cell in read] == ["first", *(cell.removeprefix("'") for cell in cells), "7", ""]


def test_a_negative_number_is_not_escaped_as_a_formula() -> None:
    assert list(csv_lines([[-1, "-1", None]])) == ["-1,'-1,\r\n"]
