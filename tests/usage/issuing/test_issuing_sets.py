"""Issuing a set of certificates: how an earlier certificate, or a party without a number, affects the other
certificates of the set.
"""

from __future__ import annotations

import pytest
from sqlalchemy import update

from ledger.errors import Conflict, NotFound
from ledger.parties.tables import Party
from ledger.usage.lookups import provisions_of
from tests.support.actors.pilots import Pilot


def supplied_request(pilot: Pilot, firm: str) -> tuple[str, str]:
    """Let the firm authorise a request and the provider supply the data; return the ids of the request and of the
    authorization.
    """
    authorization = pilot.authorise(firm)
    pilot.supply(firm, authorization)
    return pilot.ledger.usage.authorizations.get(authorization).request_id, authorization


def erase_disclosures(pilot: Pilot, authorization: str) -> None:
    with pilot.ledger.database.write() as session:
        (provision,) = provisions_of(session, authorization)
        pilot.ledger.sealer.erase(session, str(provision.sealed_id))


def test_issuing_again_returns_the_earlier_certificate_even_if_its_disclosures_were_erased(pilot: Pilot) -> None:
    issue, issuer = pilot.ledger.usage.issuance.issue, pilot.actor(pilot.ledger.party)
    request, authorization = supplied_request(pilot, pilot.firm())
    (issued,) = issue(issuer, [request])
    erase_disclosures(pilot, authorization)
    assert issue(issuer, [request]) == [issued]
    other, _ = supplied_request(pilot, pilot.firm())
    assert issue(issuer, [other, request, request])[1:] == [issued, issued]


def test_no_certificate_of_a_set_is_issued_if_the_disclosures_of_one_certificate_were_erased(pilot: Pilot) -> None:
    issue, issuer = pilot.ledger.usage.issuance.issue, pilot.actor(pilot.ledger.party)
    (erased, authorization), (other, _) = (supplied_request(pilot, pilot.firm()) for _ in range(2))
    erase_disclosures(pilot, authorization)
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        issue(issuer, [other, erased])
    (issued,) = issue(issuer, [other])
    assert issued.request_id == other
    pilot.ledger.usage.requests.cancel(erased)


def test_no_certificate_is_issued_if_a_signer_has_no_number_on_the_chain(pilot: Pilot) -> None:
    """Withdrawals on the chain name the number of the party, so without the number they cannot be found."""
    ledger, firm = pilot.ledger, pilot.firm()
    request, _ = supplied_request(pilot, firm)
    subject = pilot.cast.firms[firm]
    number = ledger.parties.register.get(subject).no
    for no in (None, number):
        with ledger.database.write() as session:
            session.execute(update(Party).where(Party.id == subject).values(no=no))
        if no is None:
            with pytest.raises(Conflict, match="PARTY_NOT_ON_CHAIN"):
                ledger.usage.issuance.issue(pilot.actor(ledger.party), [request])
    (issued,) = ledger.usage.issuance.issue(pilot.actor(ledger.party), [request])
    assert issued.subject == subject
