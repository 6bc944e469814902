"""The steps from a request to a certificate over HTTP, for tests that need a request, an authorization or a
certificate.
"""

from __future__ import annotations

import time
from typing import Any

from ledger.connectors.answers import Answer, Supplied
from ledger.domain.canonical import canonical
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.proof.bundle import parse_bundle
from ledger.proof.jws import sign_entry
from ledger.proof.sdjwt import bind_key
from ledger.provider.answering import made_of
from ledger.provider.task import task_of
from tests.support.actors.credit_bureau import AS_OF
from tests.support.actors.pilots import ROWS
from tests.support.api.parts import Api

FIELDS = ["subject_name", "years_covered", "wage_band"]


def ask(api: Api, firm: str = "firm", fields: list[str] = FIELDS) -> str:
    """Make a request as the bank, and return the request's id."""
    now = api.pilot.ledger.clock()
    until = end_of_validity(shanghai_day(now))
    request = {
        "scenario": "S51",
        "subject": api.parties[firm],
        "consumer": api.parties["bank"],
        "sources": {"statistics": api.parties["provider"]},
        "fields": fields,
        "valid_from": now,
        "valid_to": until,
        "channel": "government_platform",
        "expires_at": until,
        "note": {"contact": "Credit department", "business_ref": "LOAN-1"},
    }
    draft = api.post("bank", "/v1/requests/draft", request)
    assert draft.status_code == 200, draft.text
    signed = sign_entry(draft.json()["entry"], api.pilot.actors.signer_of(api.parties["bank"]))
    answer = api.post("bank", "/v1/requests", {"statement": signed, "note": draft.json()["note"]})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def authorise(api: Api, firm: str = "firm", fields: list[str] = FIELDS) -> str:
    """Make a request as the bank, authorise it as the firm, and return the authorization's id."""
    request = ask(api, firm, fields)
    drafts = api.post(firm, f"/v1/requests/{request}/authorizations/draft", {})
    assert drafts.status_code == 200, drafts.text
    (draft,) = drafts.json()["drafts"]
    assert draft["notice"]["recipient"] and "Credit department" in draft["notice"]["text"]
    signed = sign_entry(draft["entry"], api.pilot.actors.signer_of(api.parties[firm]))
    answer = api.post(firm, "/v1/authorizations", {"statements": [signed]})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["authorizations"][0]["id"])


def answered(api: Api, authorization: str, answer: Answer | None = None) -> Any:
    """Return the signed provision that the provider's own program computes for a task."""
    task = task_of(api.get("provider", f"/v1/provisions/tasks/{authorization}").json())
    now = api.pilot.ledger.clock()
    made = made_of(task, answer or Supplied(ROWS, AS_OF, now, name="湛江示例有限公司（演示）"), now)
    signed = sign_entry(made.entry, api.pilot.actors.signer_of(api.parties["provider"]))
    return api.post("provider", "/v1/provisions", {"statement": signed, "disclosures": list(made.disclosures)})


def supply(api: Api, authorization: str) -> str:
    """Supply the data as the provider, and return the provision's id."""
    answer = answered(api, authorization)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def issue(api: Api, authorization: str, **arguments: Any) -> Any:
    request = api.pilot.ledger.usage.authorizations.get(authorization).request_id
    return api.post("platform", "/v1/certificates", {"request": request}, **arguments)


def finished(api: Api, operation: dict[str, Any]) -> str:
    """Wait until the operation's batch is anchored, and return the certificate's number."""
    deadline = time.monotonic() + 20
    while operation["state"] != "done":
        assert time.monotonic() < deadline
        time.sleep(0.1)
        operation = api.get("platform", f"/v1/operations/{operation['id']}").json()
    return str(operation["result"]["certificates"][0])


def ended(api: Api, part: str, answer: Any) -> dict[str, Any]:
    """Wait until the operation that answers a batch is done or refused, and return the operation."""
    assert answer.status_code == 202, answer.text
    operation, deadline = answer.json(), time.monotonic() + 20
    while operation["state"] == "pending":
        assert time.monotonic() < deadline
        time.sleep(0.1)
        operation = api.get(part, f"/v1/operations/{operation['id']}").json()
    return dict(operation)


def certificate(api: Api, firm: str = "firm") -> str:
    authorization = authorise(api, firm)
    supply(api, authorization)
    answer = issue(api, authorization)
    assert answer.status_code == 202, answer.text
    return finished(api, answer.json())


def presented(api: Api, number: str, nonce: str, firm: str = "firm") -> dict[str, Any]:
    answer = api.get(firm, f"/v1/certificates/{number}/bundle?fields=wage_band")
    assert answer.status_code == 200, answer.text
    bundle = parse_bundle(canonical(answer.json()))
    holder = api.pilot.actors.signer_of(api.parties[firm])
    bound = bind_key(bundle.certificate, holder, audience=api.parties["bank"], nonce=nonce, at=api.pilot.ledger.clock())
    return bundle.with_certificate(bound).to_dict()


NUMBER = "DAC-440802-2026-S01-00000123-V"


def draft_request(api: Api) -> dict[str, Any]:
    now = api.pilot.ledger.clock()
    return {
        "scenario": "S51",
        "subject": api.parties["firm"],
        "consumer": api.parties["bank"],
        "sources": {"statistics": api.parties["provider"]},
        "fields": ["wage_band"],
        "valid_from": now,
        "valid_to": end_of_validity(shanghai_day(now)),
        "channel": "government_platform",
        "expires_at": end_of_validity(shanghai_day(now)),
        "note": {"contact": "Credit department"},
    }
