"""The cost of a set: recording, supplying and issuing many certificates takes as many queries as one certificate."""

from __future__ import annotations

from dataclasses import replace

from ledger.demo.actors import NOTE
from ledger.usage.requests import Asked
from tests.support.actors.pilots import SUPPLIED, Pilot
from tests.support.ledgers.small_ledger import counting

MANY = 12


def statements_for(pilot: Pilot, count: int) -> dict[str, int]:
    """Issue certificates to ``count`` firms, with one call for all firms in each step; return how many SQL statements
    each step sends to the database.
    """
    ledger, actors, usage, sent = pilot.ledger, pilot.actors, pilot.ledger.usage, dict[str, int]()
    drafts = [usage.requests.draft(actors.request(pilot.firm()), NOTE) for _ in range(count)]
    asked = [Asked(actors.sign(draft.entry["consumer"], draft.entry), draft.note) for draft in drafts]
    with counting(ledger.database.engine) as statements:
        requests = [row.id for row in usage.requests.submit(asked)]
        sent["requests"] = len(statements)
    entries = [draft.entry for request in requests for draft in usage.authorizations.draft(request)]
    signed = [actors.sign(entry["subject"], entry) for entry in entries]
    with counting(ledger.database.engine) as statements:
        consents = [row.id for row in usage.authorizations.submit(signed)]
        sent["authorizations"] = len(statements)
    answers = [actors.draft(consent, SUPPLIED) for consent in consents]
    supplies = [replace(answer, entry=actors.sign(answer.entry["provider"], answer.entry)) for answer in answers]
    with counting(ledger.database.engine) as statements:
        usage.provisions.submit(supplies)
        sent["provisions"] = len(statements)
    issuer = ledger.actor(ledger.party)
    with counting(ledger.database.engine) as statements:
        issued = usage.issuance.issue(issuer, requests)
        # The statements that count up certificate numbers are left out: each region has its own counter, and the firms
        # are in several regions.
        sent["certificates"] = len([statement for statement in statements if "INTO counter" not in statement])
    assert len({certificate.certificate_no for certificate in issued}) == count
    return sent


def test_each_step_takes_as_many_queries_for_twelve_firms_as_for_one_firm(pilot: Pilot) -> None:
    # The first certificate under a scenario takes more queries than later certificates, because the scenario's template
    # is recorded with it. So one certificate is issued before the comparison.
    statements_for(pilot, 1)
    assert statements_for(pilot, MANY) == statements_for(pilot, 1)
