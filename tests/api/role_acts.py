"""What each row of the role matrix means over HTTP: its call, and the calls that its words allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.domain.parties import PartyKind, Role
from tests.api.role_stage import KINDS, Stage
from tests.role_table import ROLE_OF

DIGEST = f"sha-256:{'0' * 64}"
DIMENSIONS = ("standardisation", "completeness", "accuracy", "consistency", "timeliness", "accessibility")
QUALITY = {
    "scores": dict.fromkeys(DIMENSIONS, 80),
    "weights": dict(zip(DIMENSIONS, (20, 20, 20, 20, 10, 10), strict=True)),
    "report": DIGEST,
    "last_day": "2040-01-31",
}
# A right that is missing, by whichever check found it.
REFUSALS = {
    "API_KEY_MISSING",
    "ASSET_SELF_REVIEW",
    "MANDATE_MISSING",
    "NOT_A_MEMBER",
    "NOT_PUBLISHED_TO_YOU",
    "NOT_THE_CDO",
    "NOT_THE_PARTY",
    "NOT_THE_PROVIDER",
    "NOT_THE_REQUESTER",
    # The hold is another office's.
    "LOG_NOT_HELD",
    "PARTY_OFFICE_BY_AUTHORITY",
    "PARTY_SELF_GRANT",
    "PROVIDER_NOT_AUTHORIZED",
    "PARTY_LACKS_ROLE",
    # Made to another party.
    "PRESENTATION_UNKNOWN",
    # Not an error but a verdict: the party is shown nothing.
    "not_party",
}


@dataclass(frozen=True)
class Outcome:
    """Whether a call did what it is for, or the code of its refusal."""

    done: bool
    code: str = ""

    @classmethod
    def of(cls, answer: Any) -> Outcome:
        if answer.status_code < 300:
            return cls(True)
        assert answer.status_code in (401, 403, 404, 409), answer.text
        return cls(False, answer.json()["code"])


Act = Callable[[Stage, str, bool], list[Outcome]]
Word = Callable[[Stage, str], list[Outcome]]


@dataclass(frozen=True)
class Row:
    """``does`` is the row's call, on an own record or another's. ``open`` are words that are for everyone anyway.

    ``own``: what ✓ allows is one's own record too.
    """

    does: Act
    words: Mapping[str, Word] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    own: bool = False


def told(*answers: Any) -> list[Outcome]:
    return [Outcome.of(answer) for answer in answers]


def manage(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """For those who manage others, no right is what they may not give: an office by an admin, anything to itself."""
    if who in "AX":
        newcomer = stage.once("newcomer", lambda: stage.pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT))
        tries = [(stage.parties[who], ROLE_OF[who], role) for role in ("subject", "issuer")]
        tries += [(newcomer, "subject", role) for role in ("issuer", "authority", "admin") if who == "X"]
        return told(
            *(stage.call(who, "PUT", f"/v1/parties/{at}/roles", {"roles": [has, role]}) for at, has, role in tries)
        )
    if own and who in "SPCRTB":
        # Not the one that others deal with: what is bound to its key should stay so.
        kind, role, who = KINDS[who], ROLE_OF[who], f"{who} rotating"
        stage.join(who, kind, role)
    party = stage.parties.get(who, stage.parties["S2"]) if own else stage.parties["S2"]
    answers = [stage.post(who, f"/v1/parties/{party}/api-keys")]
    if not own or who.endswith("rotating"):
        key = stage.ledger.custody.public_key(*stage.ledger.custody.create())
        answers.append(stage.post(who, f"/v1/parties/{party}/accounts", {"public_key": key}))
    return told(*answers)


def set_roles(stage: Stage, who: str) -> list[Outcome]:
    newcomer = stage.once("newcomer", lambda: stage.pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT))
    return told(stage.call(who, "PUT", f"/v1/parties/{newcomer}/roles", {"roles": ["consumer"]}))


def read_party(stage: Stage, who: str) -> list[Outcome]:
    return told(stage.get(who, f"/v1/parties/{stage.parties['S2']}"))


def edit(stage: Stage, who: str, own: bool) -> list[Outcome]:
    return told(stage.put(who, stage.code() if own else stage.once("another's", lambda: stage.submitted("P2"))))


def read_draft(stage: Stage, who: str) -> list[Outcome]:
    code = stage.once("another's", lambda: stage.submitted("P2"))
    return told(stage.get(who, f"/v1/catalogue/resources/{code}"), stage.get(who, f"/v1/catalogue/history/{code}"))


def sign(stage: Stage, who: str) -> list[Outcome]:
    code = stage.once("submitted", stage.submitted)
    drafted = stage.post(who, "/v1/catalogue/publications/draft", {"code": code})
    body = stage.once("signature", lambda: stage.signature(code))
    return told(drafted, stage.post(who, "/v1/catalogue/publications/signature", body))


def publish(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Who approves signs for no department but its own, and an authority for none."""
    if who in "AD":
        code = stage.once("another's", lambda: stage.submitted("P2"))
        return told(stage.post(who, "/v1/catalogue/publications/draft", {"code": code}))
    if own and who != "P":
        return told(stage.post(who, "/v1/demands", demand()))
    code = (
        stage.once("signed", stage.signed_resource) if own else stage.once("another's", lambda: stage.submitted("P2"))
    )
    return told(stage.post(who, "/v1/catalogue/publications", {"code": code}))


def demand() -> dict[str, Any]:
    return {"title": "用电", "purpose": "贷前", "legal_basis": "办法", "fields": ["kwh"]}


def keep_lists(stage: Stage, who: str) -> list[Outcome]:
    if who == "D":
        return sign(stage, who)
    code = stage.once("signed", stage.signed_resource)
    duty = {"code": code, "department": stage.parties["P"], "sla_days": 3}
    listed = stage.post(who, "/v1/catalogue/duties", duty)
    # A department publishes what is its own, so another's is asked for here.
    theirs = stage.once("another's", lambda: stage.submitted("P2"))
    return told(listed, stage.post(who, "/v1/catalogue/publications", {"code": theirs if who == "P" else code}))


def read_lists(stage: Stage, who: str) -> list[Outcome]:
    paths = ("/v1/catalogue/open",) if who == "U" else ("/v1/demands", "/v1/catalogue/systems", "/v1/catalogue/open")
    return told(*(stage.get(who, path) for path in paths))


def grade(stage: Stage, who: str, own: bool) -> list[Outcome]:
    code = stage.code() if own else stage.once("another's", lambda: stage.submitted("P2"))
    return told(stage.put(who, code, grade="general_3"))


def list_important(stage: Stage, who: str) -> list[Outcome]:
    kind = {"title": "重要", "pattern": f"no such title {stage.code()}"}
    return told(stage.post(who, "/v1/catalogue/important", kind))


def read_important(stage: Stage, who: str) -> list[Outcome]:
    return told(stage.get(who, "/v1/catalogue/important"))


def apply(stage: Stage, who: str, own: bool) -> list[Outcome]:
    body: dict[str, Any] = {"resource": stage.described().to_dict()}
    if not own or who == "B":
        body["applicant"] = stage.parties["P" if own else "P2"]
    return told(stage.post(who, "/v1/assets", body))


def read_queue(stage: Stage, who: str) -> list[Outcome]:
    return told(stage.get(who, "/v1/registrations/queue"))


def review(stage: Stage, who: str, own: bool) -> list[Outcome]:
    asset = stage.once("applied", stage.applied)
    return told(stage.post(who, f"/v1/assets/{asset}/acceptance", {}))


def opine(stage: Stage, who: str) -> list[Outcome]:
    return told(stage.post(who, f"/v1/assets/{stage.elsewhere}/quality-reports", QUALITY))


def object_to(stage: Stage, who: str, own: bool) -> list[Outcome]:
    return told(stage.post(who, f"/v1/assets/{stage.elsewhere}/objections", {"grounds": f"异议 {stage.code()}"}))


def decide(stage: Stage, who: str) -> list[Outcome]:
    def objection() -> int:
        stage.ledger.objections.file(stage.elsewhere, stage.parties["S2"], f"异议 {stage.code()}")
        return len(stage.ledger.objections.of(stage.elsewhere, stage.ledger.clock()))

    path = f"/v1/assets/{stage.elsewhere}/objections/{stage.once('objection', objection)}/decision"
    return told(stage.post(who, path, {"state": "admitted", "reason": "受理"}))


def read_objections(stage: Stage, who: str) -> list[Outcome]:
    return told(stage.get(who, f"/v1/assets/{stage.elsewhere}/objections"))


def object_by_name(stage: Stage, who: str) -> list[Outcome]:
    """The public has to be known by name: a person objects once it is onboarded."""
    stage.join_person("person")
    return object_to(stage, "person", False)


def draft_scenario(stage: Stage, who: str, own: bool = True) -> list[Outcome]:
    return told(stage.post(who, "/v1/scenarios/drafts", {"scenario": stage.scenario()}))


def approve_scenario(stage: Stage, who: str) -> list[Outcome]:
    drafted = stage.once(
        "draft", lambda: stage.done(stage.post("I", "/v1/scenarios/drafts", {"scenario": stage.scenario()}))
    )
    return told(stage.post(who, f"/v1/scenarios/drafts/{drafted['digest']}/approval"))


def read_scenarios(stage: Stage, who: str) -> list[Outcome]:
    return told(stage.get(who, "/v1/scenarios"), stage.get(who, "/v1/scenarios/S51"))


def request(stage: Stage, who: str, own: bool) -> list[Outcome]:
    consumer = "C" if own else "C2"
    return told(stage.post(who, "/v1/requests/draft", stage.request("S2", consumer, "P")))


def read_request(stage: Stage, who: str) -> list[Outcome]:
    others = stage.ledger.authorizations.get(stage.others.authorization)
    return told(stage.get(who, f"/v1/requests/{others.request_id}"))


def authorise(stage: Stage, who: str, own: bool) -> list[Outcome]:
    subject = "S" if own else "S2"
    statement = stage.once(f"statement of {subject}", lambda: stage.statement(subject))
    recorded = stage.once(f"authorised by {subject}", lambda: stage.authorised(subject))
    path = f"/v1/authorizations/{recorded}/withdrawal"
    return told(
        stage.post(who, "/v1/authorizations", statement), stage.post(who, path, stage.withdrawal(subject, path))
    )


def withdraw(stage: Stage, who: str) -> list[Outcome]:
    recorded = stage.once("authorised by S", stage.authorised)
    path = f"/v1/authorizations/{recorded}/withdrawal"
    return told(stage.post(who, path, stage.withdrawal("S", path)))


def supply(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Another's is an authorization that names another provider, or for whoever is none the provider's statement."""
    name = "P" if own else "P2"
    authorization = stage.once(f"authorised for {name}", lambda: stage.authorised(provider=name))
    return told(stage.post(who, "/v1/provisions", stage.provision(authorization)))


def co_sign(stage: Stage, who: str) -> list[Outcome]:
    return supply(stage, who, True)


def issue(stage: Stage, who: str, own: bool) -> list[Outcome]:
    def supplied() -> str:
        authorization = stage.authorised()
        stage.done(stage.post("P", "/v1/provisions", stage.provision(authorization)))
        return authorization

    return told(stage.post(who, "/v1/certificates", stage.issuing(stage.once("supplied", supplied))))


def issue_registration(stage: Stage, who: str) -> list[Outcome]:
    return told(stage.post(who, f"/v1/assets/{stage.ready}/confirmation", {}))


def see(stage: Stage, who: str, own: bool) -> list[Outcome]:
    consent = stage.own if own else stage.others
    if who == "P":
        return told(stage.get(who, f"/v1/provisions/{consent.provision}/claims"))
    if who == "C":
        return see_presented(stage, who, own)
    return told(
        stage.get(who, f"/v1/certificates/{consent.number}/bundle"),
        *(() if who == "S" else (stage.get(who, f"/v1/provisions/{consent.provision}/claims"),)),
    )


def see_presented(stage: Stage, who: str, own: bool = True) -> list[Outcome]:
    return shown(stage.post(who, "/v1/verify", stage.presented(stage.own if own else stage.others)))


def shown(answer: Any) -> list[Outcome]:
    """Whether the report is of a valid certificate, and so shows what it discloses."""
    if answer.status_code >= 300:
        return told(answer)
    report = answer.json()
    assert bool(report["disclosed"]) == report["valid"]
    return [Outcome(report["valid"], report["result"])]


def see_for_case(stage: Stage, who: str) -> list[Outcome]:
    path = f"/v1/certificates/{stage.own.number}/disclosures"
    return told(stage.post(who, path, {"case": "（2026）湛数监12号"}))


def verify(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Own is by number; a bundle of others is checked to the end for those who verify any, and tells nothing to parties
    to which it was not presented."""
    if own:
        if who == "C":
            return see_presented(stage, who)
        return told(stage.post(who, "/v1/verify", {"certificate_no": stage.own.number}))
    answer = stage.post(who, "/v1/verify", stage.presented(stage.others))
    if answer.status_code >= 300:
        return told(answer)
    report = answer.json()
    assert not report["disclosed"] and not report["claims"]
    failed = [check["name"] for check in report["checks"] if check["verdict"] == "failed"]
    assert failed == ["party"]
    return [Outcome(who in "IRADVTB", report["result"])]


def public_status(stage: Stage, who: str) -> list[Outcome]:
    answer = stage.get(who, f"/v1/certificates/{stage.own.number}/status")
    assert answer.json().keys() == {"certificate_no", "state", "since"}
    return told(answer)


def revoke(stage: Stage, who: str, own: bool) -> list[Outcome]:
    number = stage.once("revocable", stage.consented).number
    return told(stage.post(who, f"/v1/certificates/{number}/revoke", {"reason": "fraud"}))


def revoke_wrong_data(stage: Stage, who: str) -> list[Outcome]:
    number = stage.once("revocable", stage.consented).number
    return told(stage.post(who, f"/v1/certificates/{number}/revoke", {"reason": "data_error"}))


def annul(stage: Stage, who: str) -> list[Outcome]:
    asset = stage.once("annullable", stage.pilot.confirmed)
    return told(stage.post(who, f"/v1/assets/{asset}/annulment", {"reason": "fraud", "grounds": "来源不合法"}))


def suspend(stage: Stage, who: str, own: bool) -> list[Outcome]:
    path = f"/v1/certificates/{stage.once('suspendable', stage.consented).number}"
    return told(
        stage.post(who, f"{path}/suspend", {"reason": "investigation"}),
        stage.post(who, f"{path}/resume", {"reason": "lifted"}),
    )


def hold(stage: Stage, who: str, own: bool) -> list[Outcome]:
    consent = stage.once("holdable", stage.consented)
    statement = stage.ledger.authorizations.get(consent.authorization).digest
    return told(
        stage.post(who, f"/v1/certificates/{consent.number}/hold", {"reason": "investigation"}),
        stage.post(who, "/v1/holds", {"statements": [statement], "reason": "investigation"}),
    )


def lift(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Own is a hold of the caller's office, another's that of the other office."""
    other = "V" if who == "A" else "A"
    holder = who if own and who in "AV" else other
    consent, statement = stage.once(f"held by {holder}", lambda: stage.held_by(holder))
    return told(
        stage.post(who, f"/v1/certificates/{consent.number}/lift", {"reason": "lifted"}),
        stage.post(who, "/v1/holds/lift", {"statements": [statement]}),
    )


def use(stage: Stage, who: str, own: bool) -> list[Outcome]:
    name = "C" if own else "C2"
    consent = stage.once(f"usable by {name}", lambda: stage.consented("S", name, "P"))
    return shown(stage.post(who, "/v1/presentations", stage.presented(consent)))


def sign_use(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """A consumer with its key elsewhere signs what it is given; whoever else hands that signature in gets nothing."""
    away = stage.once("away", lambda: stage.join_away("away"))
    consent = stage.once("usable by away", lambda: stage.consented("S", "away", "P"))
    proposed = stage.done(stage.post("away", "/v1/presentations", stage.presented(consent)))
    assert not proposed["disclosed"] and not proposed["claims"]
    path, body = stage.signed_use(away, proposed["use"])
    return shown(stage.post("away" if own and who == "C" else who, path, body))


def stop(stage: Stage, who: str, own: bool) -> list[Outcome]:
    spare = stage.once("spare", lambda: stage.join("spare", PartyKind.ENTERPRISE, Role.SUBJECT))
    asset = f"/v1/assets/{stage.confirmed}"
    return told(
        stage.post(who, f"{asset}/freeze", {"reason": "court"}),
        stage.call(who, "PUT", f"/v1/parties/{spare}/status", {"status": "sanctioned", "reason": "sanction"}),
        stage.post(who, f"{asset}/unfreeze", {"reason": "lifted"}),
    )


def read_log(stage: Stage, who: str, own: bool) -> list[Outcome]:
    consent = stage.own if own else stage.others
    paths = [f"/v1/log/entries/{consent.seq}", f"/v1/certificates/{consent.number}"]
    paths += [f"/v1/certificates/{consent.number}/provenance"]
    return told(*(stage.get(who, path) for path in (paths if own else [*paths, "/v1/log/entries"])))


def read_technical(stage: Stage, who: str) -> list[Outcome]:
    return told(*(stage.get(who, path) for path in ("/v1/log/head", "/v1/log/batches/0", "/ready", "/health")))


# On its own records, or those of the departments that it serves.
OWN = ("o", "o(demand)", "o(mandate)", "o(valid)", "dept")
MATRIX: dict[str, Row] = {
    "manage keys/roles": Row(
        manage, {"a": set_roles, "r": read_party, "✓(no role to self)": set_roles}, frozenset({"r"})
    ),
    "edit resource": Row(edit, {"r": read_draft, "a": sign}),
    "publish lists": Row(publish, {"a": keep_lists, "r": read_lists}, frozenset({"r"})),
    "grade / important list": Row(grade, {"a": list_important, "r": read_important}),
    "apply registration": Row(apply, {"r": read_queue}, frozenset({"r"})),
    "review registration": Row(review, {"r": read_queue, "opinion": opine}),
    "object": Row(
        object_to,
        {"decide": decide, "r": read_objections, "✓real-name": object_by_name},
        frozenset({"r", "✓real-name"}),
    ),
    "define scenario": Row(
        draft_scenario, {"draft": draft_scenario, "a": approve_scenario, "r": read_scenarios}, frozenset({"r"})
    ),
    "request data": Row(request, {"r": read_request}, frozenset({"r"}), own=True),
    "authorise / withdraw": Row(authorise, own=True),
    "supply data": Row(supply),
    "issue certificate": Row(issue, {"co-sign": co_sign, "reg. class": issue_registration}),
    "see payload": Row(see, {"case only": see_for_case}),
    "verify": Row(verify, {"status only": public_status}, frozenset({"status only"})),
    "use": Row(use),
    "sign use": Row(sign_use),
    "revoke": Row(revoke, {"withdraw": withdraw, "data_error": revoke_wrong_data, "annul": annul}),
    "suspend / resume": Row(suspend),
    "hold": Row(hold),
    "lift": Row(lift),
    "freeze / sanction": Row(stop),
    "read full log": Row(read_log, {"technical only": read_technical}, frozenset({"technical only"})),
}
