"""The data catalogue over HTTP: from the import of a table to the open catalogue, and which role may make
which call.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ledger.proof.jws import sign_entry
from tests.support.actors.department import Department, department, resource
from tests.support.api.parts import Api

DIGEST = f"sha-256:{'0' * 64}"


class Office:
    """The API for tests, and the key of a chief data officer."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.department: Department = department(api.pilot.ledger, api.pilot.cast)
        self._headers = api.tokens.header(self.department.cdo.party)

    def post(self, part: str | None, path: str, body: object = None, **arguments: Any) -> Any:
        if part == "cdo":
            return self.api.post(None, path, body, headers=self._headers)
        return self.api.post(part, path, body, **arguments)

    def put(self, code: str, **members: Any) -> Any:
        body = {"resource": resource(code, **members).to_dict()}
        return self.post("provider", "/v1/catalogue/resources", body)

    def sign(self, code: str) -> Any:
        entry = self.post("cdo", "/v1/catalogue/publications/draft", {"code": code}).json()["entry"]
        ledger = self.api.pilot.ledger
        signer = ledger.custody.signer(ledger.parties.register.get(self.department.cdo.party).account)
        body = {"statement": sign_entry(entry, signer)}
        return self.post("cdo", "/v1/catalogue/publications/signature", body)

    def publish(self, code: str, **members: Any) -> Any:
        assert self.put(code, **members).status_code == 200
        self.post("provider", "/v1/catalogue/submissions", {"code": code})
        assert self.sign(code).json()["state"] == "cdo_signed"
        return self.post("provider", "/v1/catalogue/publications", {"code": code})


@pytest.fixture(scope="module")
def office(api: Api) -> Office:
    return Office(api)


def encoded(*lines: str) -> str:
    return base64.b64encode("\n".join(lines).encode()).decode()


def test_a_draft_can_be_signed_and_published_and_put_into_the_open_catalogue(office: Office) -> None:
    api, code = office.api, "api/whole"
    put = office.put(code, open_attr="open")
    assert (put.json()["verdict"], put.json()["version"]) == ("new", 1)
    assert office.put(code, open_attr="open").json()["verdict"] == "unchanged"
    changed = office.put(code, open_attr="open", title="改题")
    assert [change["where"] for change in changed.json()["diff"]] == ["title"]
    assert office.post("provider", "/v1/catalogue/submissions", {"code": code}).json()["state"] == "submitted"
    early = office.post("provider", "/v1/catalogue/publications", {"code": code})
    assert (early.status_code, early.json()["code"]) == (409, "MOVE_NOT_ALLOWED")
    assert office.sign(code).json()["state"] == "cdo_signed"
    published = office.post("provider", "/v1/catalogue/publications", {"code": code})
    assert published.json()["published_version"] == 2
    opened = office.post("provider", "/v1/catalogue/open", {"code": code, "licence": "CC-BY-4.0"})
    assert opened.status_code == 200, opened.text
    public = api.get(None, f"/v1/catalogue/open/{code}").json()
    assert (public["licence"], public["resource"]["title"], len(public["history"])) == ("CC-BY-4.0", "改题", 1)
    assert code in [item["code"] for item in api.get(None, "/v1/catalogue/open").json()["items"]]
    moves = [event["move"] for event in api.get("provider", f"/v1/catalogue/history/{code}").json()["events"]]
    assert moves == ["edit", "edit", "submit", "sign", "publish"]
    answer = api.get("provider", f"/v1/catalogue/diff/{code}?old=1&new=2").json()
    assert answer["changes"] == changed.json()["diff"]
    assert office.post("provider", "/v1/catalogue/open/withdrawals", {"code": code}).status_code == 204
    assert api.get(None, f"/v1/catalogue/open/{code}").json()["code"] == "NOT_OPEN"


def test_only_the_provider_and_approving_parties_can_see_drafts(office: Office) -> None:
    api, code = office.api, "api/draft"
    office.put(code)
    path = f"/v1/catalogue/resources/{code}"
    for part in ("provider", "authority", "supervisor"):
        assert api.get(part, path).json()["shown_version"] == 1
    for part in ("bank", "firm", "platform"):
        answer = api.get(part, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "NOT_PUBLISHED_TO_YOU")
        assert api.get(part, f"/v1/catalogue/history/{code}").status_code == 403
        listed = api.get(part, "/v1/catalogue/resources?limit=200").json()["items"]
        assert code not in [item["code"] for item in listed]
    office.publish(code)
    office.put(code, title="未发布")
    assert api.get("bank", path).json()["resource"]["title"] != "未发布"
    assert api.get("bank", path).json()["shown_version"] == 1
    assert api.get("bank", f"/v1/catalogue/versions/1/{code}").status_code == 200
    assert api.get("bank", f"/v1/catalogue/versions/2/{code}").json()["code"] == "NOT_PUBLISHED_TO_YOU"
    assert api.get("provider", path).json()["resource"]["title"] == "未发布"
    listed = api.get("bank", "/v1/catalogue/resources?limit=200").json()["items"]
    assert code in [item["code"] for item in listed]
    assert api.get(None, path).status_code == 401


def test_a_table_can_be_imported_over_http(office: Office) -> None:
    path = "/v1/catalogue/imports"
    head = "code,title,fields,content_digest,grade"
    good, bad = f"api/i1,一,a:text,{DIGEST},", f"api/i2,二,a:text:none:none:general_3,{DIGEST},general_1"
    table = {"name": "list.csv", "content": encoded(head, good, bad)}
    dry = office.post("provider", path, table).json()
    assert (dry["committed"], dry["counts"]["new"], dry["counts"]["refused"]) == (False, 1, 1)
    assert (dry["rows"][1]["row"], dry["rows"][1]["error"]) == (2, "GRADE_TOO_LOW")
    refused = office.post("provider", path, table | {"dry_run": False})
    assert (refused.status_code, refused.json()["code"]) == (422, "IMPORT_REFUSED")
    assert office.api.get("provider", "/v1/catalogue/resources/api/i1").json()["code"] == "RESOURCE_UNKNOWN"
    table = {"name": "list.csv", "content": encoded(head, good)}
    assert office.post("provider", path, table | {"dry_run": False}).json()["committed"]
    assert office.api.get("provider", "/v1/catalogue/resources/api/i1").json()["state"] == "draft"
    broken = {"name": "x.xlsx", "content": base64.b64encode(b"PK\x03\x04 no workbook").decode()}
    chinese = base64.b64encode("\n".join((head, good)).encode("gb18030")).decode()
    office_file = table | {"name": "list.xls", "content": chinese, "encoding": "gb18030", "dry_run": True}
    read = office.post("provider", path, office_file).json()
    assert read["counts"]["refused"] == 0 and any("GB18030" in note.upper() for note in read["notes"])
    for wrong, code in (({"content": "?"}, "BASE64_INVALID"), (broken, "XLSX_MALFORMED")):
        assert office.post("provider", path, table | wrong).json()["code"] == code


def test_a_resource_with_important_data_is_blocked_until_its_review_is_recorded(office: Office) -> None:
    kind = {"title": "管网", "pattern": "*接口管网*"}
    added = office.post("authority", "/v1/catalogue/important", kind)
    assert (added.status_code, added.json()["blocked"]) == (201, [])
    code = "api/pipes"
    office.put(code, title="城区接口管网")
    assert office.post("provider", "/v1/catalogue/submissions", {"code": code}).json()["state"] == "blocked"
    review = {"code": code, "report_digest": DIGEST}
    assert office.post("provider", "/v1/catalogue/reviews", review).json()["code"] == "PARTY_LACKS_ROLE"
    assert office.post("cdo", "/v1/catalogue/reviews", review).json()["state"] == "submitted"
    entry = added.json()["id"]
    assert office.post("authority", f"/v1/catalogue/important/{entry}/withdrawal").status_code == 204
    assert office.api.get("bank", "/v1/catalogue/important").json()["code"] == "PARTY_LACKS_ROLE"
    listed = office.api.get("provider", "/v1/catalogue/important").json()
    assert [item["withdrawn"] for item in listed if item["id"] == entry] == [True]


def test_a_demand_can_be_filed_and_matched_and_closed_over_http(office: Office) -> None:
    code = "api/demand"
    office.publish(code, domain="api-domain")
    demand = {
        "title": "用电",
        "purpose": "贷前",
        "legal_basis": "办法",
        "fields": ["KWH"],
        "domain": "api-domain",
        "wanted_by": "2027-01-31",
    }
    headers = {"Idempotency-Key": "demand-over-http"}
    filed = office.post("bank", "/v1/demands", demand, headers=headers)
    assert (filed.status_code, filed.json()["wanted_by"]) == (201, "2027-01-31")
    again = office.post("bank", "/v1/demands", demand, headers=headers).json()
    assert again["id"] == filed.json()["id"]
    path = f"/v1/demands/{again['id']}"
    best = office.api.get("bank", f"{path}/candidates").json()[0]
    assert best["code"] == code and best["score"] == sum(best["points"].values()) and best["fields"] == ["KWH"]
    assert office.post("bank", f"{path}/match", {"code": code}).json()["code"] == "PARTY_LACKS_ROLE"
    assert office.post("authority", f"{path}/match", {"code": code}).json()["state"] == "matched"
    duty = {"code": code, "department": office.api.parties["provider"], "sla_days": 3}
    assert office.post("authority", "/v1/catalogue/duties", duty).json()["number"] == 1
    assert office.api.get("bank", f"/v1/catalogue/duties/{code}").json()[0]["sla_days"] == 3
    assert office.post("bank", f"{path}/acceptance").json()["code"] == "NOT_ON_DUTY"
    accepted = office.post("provider", f"{path}/acceptance").json()
    assert accepted["state"] == "duty_accepted" and accepted["due_at"] > accepted["created_at"]
    assert office.post("provider", f"{path}/refusal", {"reason": "暂缺"}).json()["state"] == "refused"
    assert office.post("bank", f"{path}/appeal", {"reason": "急需"}).json()["state"] == "appealed"
    assert office.post("authority", f"{path}/match", {"code": code}).json()["state"] == "matched"
    office.post("provider", f"{path}/acceptance")
    assert office.post("provider", f"{path}/connection").json()["state"] == "connected"
    assert office.post("bank", f"{path}/closing").json()["state"] == "closed"
    answer = office.api.get("firm", path).json()
    assert (answer["history"][0]["move"], answer["history"][-1]["move"], answer["overdue"]) == ("file", "close", False)
    listed = office.api.get("bank", "/v1/demands?state=closed").json()["items"]
    assert again["id"] in [item["id"] for item in listed]


def test_information_systems_can_be_recorded_and_listed_over_http(office: Office) -> None:
    system = {"code": "api-meters", "name": "采集系统", "protection_level": 3}
    assert office.post("provider", "/v1/catalogue/systems", system).json()["version"] == 1
    assert office.post("provider", "/v1/catalogue/systems", system | {"name": "新"}).json()["version"] == 2
    listed = office.api.get("bank", "/v1/catalogue/systems").json()["items"]
    assert [item["name"] for item in listed if item["code"] == "api-meters"] == ["新"]


PARTS = ("authority", "platform", "registrar", "provider", "bank", "supervisor", "firm", "cdo")
CODE = {"code": "api/none"}
DEMAND = {"title": "x", "purpose": "y", "legal_basis": "z", "fields": ["a"]}
IMPORT = {"name": "a.csv", "content": encoded("code,title,content_digest", f"x y,x,{DIGEST}")}
KIND = {"title": "x", "pattern": "no such title"}
DUTY = {"code": "api/none", "department": "0" * 64, "sla_days": 1}

# For each call: its path, its body, and the parties whose roles permit it. The service checks the role first, so a
# permitted call may still fail because of a mistake in its path or body.
CALLS: list[tuple[str, Any, set[str]]] = [
    ("/v1/catalogue/resources", {"resource": resource("api/roles").to_dict()}, {"provider"}),
    ("/v1/catalogue/imports", IMPORT, {"provider"}),
    ("/v1/catalogue/systems", {"code": "roles", "name": "x", "protection_level": 9}, set(PARTS)),
    ("/v1/catalogue/reviews", CODE | {"report_digest": DIGEST}, {"authority", "supervisor", "cdo"}),
    ("/v1/catalogue/blocks", CODE | {"reason": "x"}, {"authority", "supervisor", "cdo"}),
    ("/v1/catalogue/important", KIND, {"authority", "supervisor", "cdo"}),
    ("/v1/catalogue/officers", {"department": "0" * 64, "cdo": "1" * 64}, {"authority"}),
    ("/v1/catalogue/publications/draft", CODE, {"authority", "cdo"}),
    ("/v1/catalogue/duties", DUTY, {"authority", "cdo"}),
    ("/v1/demands", DEMAND, {"authority", "provider", "bank", "cdo"}),
    (f"/v1/demands/{'0' * 26}/match", CODE, {"authority", "cdo"}),
]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("path", "body", "allowed"), CALLS, ids=[call[0] for call in CALLS])
def test_a_call_is_refused_if_the_role_of_the_caller_does_not_permit_it(
    office: Office, path: str, body: Any, allowed: set[str], part: str
) -> None:
    answer = office.post(part, path, body)
    refused = answer.status_code == 403 and answer.json()["code"] == "PARTY_LACKS_ROLE"
    assert refused == (part not in allowed), answer.text
