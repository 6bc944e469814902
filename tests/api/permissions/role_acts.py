"""Maps each row of the role matrix to its HTTP call. A special word in a cell, such as "draft", allows a different
call; such calls are listed here too.
"""

from __future__ import annotations

from typing import Any

from ledger.domain.parties import PartyKind, Role
from ledger.parties.custody import new_key, signer_of_key
from ledger.proof.suites.suite import ES256
from tests.api.permissions.role_certificate_acts import (
    annul,
    authorise,
    co_sign,
    hold,
    issue,
    issue_registration,
    lift,
    public_status,
    read_request,
    request,
    revoke,
    revoke_wrong_data,
    see,
    see_for_case,
    sign_use,
    supply,
    suspend,
    use,
    verify,
    withdraw,
)
from tests.api.permissions.role_outcomes import Outcome, Row, outcomes_of
from tests.api.permissions.role_power_acts import (
    confirm,
    confirm_lift,
    confirm_registration,
    end_pause,
    onboard,
    propose,
    report,
    start_pause,
    veto,
)
from tests.reference.role_matrix import ROLE_OF
from tests.support.api.parts import handed_in
from tests.support.api.stage import Stage

DIGEST = f"sha-256:{'0' * 64}"
DIMENSIONS = ("standardisation", "completeness", "accuracy", "consistency", "timeliness", "accessibility")
QUALITY = {
    "scores": dict.fromkeys(DIMENSIONS, 80),
    "weights": dict(zip(DIMENSIONS, (20, 20, 20, 20, 10, 10), strict=True)),
    "report": DIGEST,
    "last_day": "2040-01-31",
}


def manage(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Try two changes of roles that no party may make: an admin gives another party an official role, and an authority
    changes its own roles.
    """
    if who in "AX":
        newcomer = stage.once("newcomer", lambda: stage.pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT))
        tries = [(stage.parties[who], ROLE_OF[who], role) for role in ("subject", "issuer")]
        tries += [(newcomer, "subject", role) for role in ("issuer", "authority", "admin") if who == "X"]
        return outcomes_of(
            *(stage.call(who, "PUT", f"/v1/parties/{at}/roles", {"roles": [has, role]}) for at, has, role in tries)
        )
    party = stage.parties.get(who, stage.parties["S2"]) if own else stage.parties["S2"]
    further = handed_in(stage.api, signer_of_key(new_key(ES256)), party)
    return outcomes_of(stage.post(who, f"/v1/parties/{party}/further-accounts", further))


def set_roles(stage: Stage, who: str) -> list[Outcome]:
    newcomer = stage.once("newcomer", lambda: stage.pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT))
    return outcomes_of(stage.call(who, "PUT", f"/v1/parties/{newcomer}/roles", {"roles": ["consumer"]}))


def read_party(stage: Stage, who: str) -> list[Outcome]:
    return outcomes_of(stage.get(who, f"/v1/parties/{stage.parties['S2']}"))


def edit(stage: Stage, who: str, own: bool) -> list[Outcome]:
    return outcomes_of(stage.put(who, stage.code() if own else stage.once("another's", lambda: stage.submitted("P2"))))


def read_draft(stage: Stage, who: str) -> list[Outcome]:
    code = stage.once("another's", lambda: stage.submitted("P2"))
    return outcomes_of(
        stage.get(who, f"/v1/catalogue/resources/{code}"), stage.get(who, f"/v1/catalogue/history/{code}")
    )


def sign(stage: Stage, who: str) -> list[Outcome]:
    code = stage.once("submitted", stage.submitted)
    drafted = stage.post(who, "/v1/catalogue/publications/draft", {"code": code})
    body = stage.once("signature", lambda: stage.signature(code))
    return outcomes_of(drafted, stage.post(who, "/v1/catalogue/publications/signature", body))


def publish(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Publish a resource. A chief data officer may sign only for its own departments; an authority may never sign."""
    if who in "AD":
        code = stage.once("another's", lambda: stage.submitted("P2"))
        return outcomes_of(stage.post(who, "/v1/catalogue/publications/draft", {"code": code}))
    if own and who != "P":
        return outcomes_of(stage.post(who, "/v1/demands", demand()))
    code = (
        stage.once("signed", stage.signed_resource) if own else stage.once("another's", lambda: stage.submitted("P2"))
    )
    return outcomes_of(stage.post(who, "/v1/catalogue/publications", {"code": code}))


def demand() -> dict[str, Any]:
    return {"title": "用电", "purpose": "贷前", "legal_basis": "办法", "fields": ["kwh"]}


def keep_lists(stage: Stage, who: str) -> list[Outcome]:
    if who == "D":
        return sign(stage, who)
    code = stage.once("signed", stage.signed_resource)
    duty = {"code": code, "department": stage.parties["P"], "sla_days": 3}
    listed = stage.post(who, "/v1/catalogue/duties", duty)
    # A department may publish only its own resources; this call tries another department's resource.
    theirs = stage.once("another's", lambda: stage.submitted("P2"))
    return outcomes_of(listed, stage.post(who, "/v1/catalogue/publications", {"code": theirs if who == "P" else code}))


def read_lists(stage: Stage, who: str) -> list[Outcome]:
    paths = ("/v1/catalogue/open",) if who == "U" else ("/v1/demands", "/v1/catalogue/systems", "/v1/catalogue/open")
    return outcomes_of(*(stage.get(who, path) for path in paths))


def grade(stage: Stage, who: str, own: bool) -> list[Outcome]:
    code = stage.code() if own else stage.once("another's", lambda: stage.submitted("P2"))
    return outcomes_of(stage.put(who, code, grade="general_3"))


def list_important(stage: Stage, who: str) -> list[Outcome]:
    kind = {"title": "重要", "pattern": f"no such title {stage.code()}"}
    return outcomes_of(stage.post(who, "/v1/catalogue/important", kind))


def read_important(stage: Stage, who: str) -> list[Outcome]:
    return outcomes_of(stage.get(who, "/v1/catalogue/important"))


def apply(stage: Stage, who: str, own: bool) -> list[Outcome]:
    body: dict[str, Any] = {"resource": stage.described().to_dict()}
    if not own or who == "B":
        body["applicant"] = stage.parties["P" if own else "P2"]
    return outcomes_of(stage.post(who, "/v1/assets", body))


def read_queue(stage: Stage, who: str) -> list[Outcome]:
    return outcomes_of(stage.get(who, "/v1/registrations/queue"))


def review(stage: Stage, who: str, own: bool) -> list[Outcome]:
    asset = stage.once("applied", stage.applied)
    return outcomes_of(stage.post(who, f"/v1/assets/{asset}/acceptance", {}))


def opine(stage: Stage, who: str) -> list[Outcome]:
    return outcomes_of(stage.post(who, f"/v1/assets/{stage.elsewhere}/quality-reports", QUALITY))


def object_to(stage: Stage, who: str, own: bool) -> list[Outcome]:
    return outcomes_of(stage.post(who, f"/v1/assets/{stage.elsewhere}/objections", {"grounds": f"异议 {stage.code()}"}))


def decide(stage: Stage, who: str) -> list[Outcome]:
    def objection() -> int:
        stage.ledger.registration.objections.file(
            stage.ledger.actor(stage.parties["S2"]), stage.elsewhere, f"异议 {stage.code()}"
        )
        return len(stage.ledger.registration.objections.of(stage.elsewhere, stage.ledger.clock()))

    path = f"/v1/assets/{stage.elsewhere}/objections/{stage.once('objection', objection)}/decision"
    return outcomes_of(stage.post(who, path, {"state": "admitted", "reason": "受理"}))


def read_objections(stage: Stage, who: str) -> list[Outcome]:
    return outcomes_of(stage.get(who, f"/v1/assets/{stage.elsewhere}/objections"))


def object_by_name(stage: Stage, who: str) -> list[Outcome]:
    """Raise an objection as a new person: only onboarded parties, whose names are known, may object."""
    stage.join_person("person")
    return object_to(stage, "person", False)


def draft_scenario(stage: Stage, who: str, own: bool = True) -> list[Outcome]:
    return outcomes_of(stage.post(who, "/v1/scenarios/drafts", {"scenario": stage.scenario()}))


def approve_scenario(stage: Stage, who: str) -> list[Outcome]:
    drafted = stage.once(
        "draft", lambda: stage.done(stage.post("I", "/v1/scenarios/drafts", {"scenario": stage.scenario()}))
    )
    return outcomes_of(stage.post(who, f"/v1/scenarios/drafts/{drafted['digest']}/approval"))


def read_scenarios(stage: Stage, who: str) -> list[Outcome]:
    return outcomes_of(stage.get(who, "/v1/scenarios"), stage.get(who, "/v1/scenarios/S51"))


def stop(stage: Stage, who: str, own: bool) -> list[Outcome]:
    spare = stage.once("spare", lambda: stage.join("spare", PartyKind.ENTERPRISE, Role.SUBJECT))
    asset = f"/v1/assets/{stage.confirmed}"
    return outcomes_of(
        stage.post(who, f"{asset}/freeze", {"reason": "court"}),
        stage.call(who, "PUT", f"/v1/parties/{spare}/status", {"status": "sanctioned", "reason": "sanction"}),
        stage.post(who, f"{asset}/unfreeze", {"reason": "lifted"}),
    )


def read_log(stage: Stage, who: str, own: bool) -> list[Outcome]:
    consent = stage.own if own else stage.others
    paths = [f"/v1/log/entries/{consent.seq}", f"/v1/certificates/{consent.number}"]
    paths += [f"/v1/certificates/{consent.number}/provenance"]
    return outcomes_of(*(stage.get(who, path) for path in (paths if own else [*paths, "/v1/log/entries"])))


def read_technical(stage: Stage, who: str) -> list[Outcome]:
    return outcomes_of(*(stage.get(who, path) for path in ("/v1/log/head", "/v1/log/batches/0", "/ready", "/health")))


# These words in a cell of the role matrix allow a call only on own records: records of the party itself, or of the
# departments whose chief data officer the party is.
OWN = ("o", "o(demand)", "o(mandate)", "o(registrations)", "o(valid)", "dept")
MATRIX: dict[str, Row] = {
    "manage keys/roles": Row(
        manage, {"a": set_roles, "r": read_party, "✓(no role to self)": set_roles}, frozenset({"r"})
    ),
    "propose": Row(propose, {"o(registrations)": onboard}),
    "confirm": Row(confirm, {"lift": confirm_lift, "registrations": confirm_registration}, own=True),
    "veto": Row(veto),
    "report": Row(report),
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
    "pause": Row(end_pause, {"start": start_pause}),
    "freeze / sanction": Row(stop),
    "read full log": Row(read_log, {"technical only": read_technical}, frozenset({"technical only"})),
}
