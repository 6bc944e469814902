"""HTTP calls for the role matrix's rows about requests, certificates, uses and certificate status."""

from __future__ import annotations

from tests.api.permissions.role_outcomes import Outcome, outcomes_of, shown
from tests.support.api.stage import Stage


def request(stage: Stage, who: str, own: bool) -> list[Outcome]:
    consumer = "C" if own else "C2"
    return outcomes_of(stage.post(who, "/v1/requests/draft", stage.request("S2", consumer, "P")))


def read_request(stage: Stage, who: str) -> list[Outcome]:
    others = stage.ledger.usage.authorizations.get(stage.others.authorization)
    return outcomes_of(stage.get(who, f"/v1/requests/{others.request_id}"))


def authorise(stage: Stage, who: str, own: bool) -> list[Outcome]:
    subject = "S" if own else "S2"
    statement = stage.once(f"statement of {subject}", lambda: stage.statement(subject))
    recorded = stage.once(f"authorised by {subject}", lambda: stage.authorised(subject))
    path = f"/v1/authorizations/{recorded}/withdrawal"
    return outcomes_of(
        stage.post(who, "/v1/authorizations", statement), stage.post(who, path, stage.withdrawal(subject, path))
    )


def withdraw(stage: Stage, who: str) -> list[Outcome]:
    recorded = stage.once("authorised by S", stage.authorised)
    path = f"/v1/authorizations/{recorded}/withdrawal"
    return outcomes_of(stage.post(who, path, stage.withdrawal("S", path)))


def supply(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Submit a provision; if ``own`` is false, submit it for an authorization that names another provider."""
    name = "P" if own else "P2"
    authorization = stage.once(f"authorised for {name}", lambda: stage.authorised(provider=name))
    return outcomes_of(stage.post(who, "/v1/provisions", stage.provision(authorization)))


def co_sign(stage: Stage, who: str) -> list[Outcome]:
    return supply(stage, who, True)


def issue(stage: Stage, who: str, own: bool) -> list[Outcome]:
    def supplied() -> str:
        authorization = stage.authorised()
        stage.done(stage.post("P", "/v1/provisions", stage.provision(authorization)))
        return authorization

    return outcomes_of(stage.post(who, "/v1/certificates", stage.issuing(stage.once("supplied", supplied))))


def issue_registration(stage: Stage, who: str) -> list[Outcome]:
    return outcomes_of(stage.post(who, f"/v1/assets/{stage.ready}/confirmation", {}))


def see(stage: Stage, who: str, own: bool) -> list[Outcome]:
    consent = stage.own if own else stage.others
    if who == "P":
        return outcomes_of(stage.get(who, f"/v1/provisions/{consent.provision}/claims"))
    if who == "C":
        return see_presented(stage, who, own)
    return outcomes_of(
        stage.get(who, f"/v1/certificates/{consent.number}/bundle"),
        *(() if who == "S" else (stage.get(who, f"/v1/provisions/{consent.provision}/claims"),)),
    )


def see_presented(stage: Stage, who: str, own: bool = True) -> list[Outcome]:
    return shown(stage.post(who, "/v1/verify", stage.presented(stage.own if own else stage.others)))


def see_for_case(stage: Stage, who: str) -> list[Outcome]:
    path = f"/v1/certificates/{stage.own.number}/disclosures"
    return outcomes_of(stage.post(who, path, {"case": "（2026）湛数监12号"}))


def verify(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Verify the caller's own certificate by its number; if ``own`` is false, verify a presentation that was made to
    another party.

    The report on a presentation to another party discloses nothing, and only its check ``party`` fails. For a role that
    may verify every certificate, this counts as permitted.
    """
    if own:
        if who == "C":
            return see_presented(stage, who)
        return outcomes_of(stage.post(who, "/v1/verify", {"certificate_no": stage.own.number}))
    answer = stage.post(who, "/v1/verify", stage.presented(stage.others))
    if answer.status_code >= 300:
        return outcomes_of(answer)
    report = answer.json()
    assert not report["disclosed"] and not report["claims"]
    failed = [check["name"] for check in report["checks"] if check["verdict"] == "failed"]
    assert failed == ["party"]
    return [Outcome(who in "IRADVTB", report["result"])]


def public_status(stage: Stage, who: str) -> list[Outcome]:
    answer = stage.get(who, f"/v1/certificates/{stage.own.number}/status")
    assert answer.json().keys() == {"certificate_no", "state", "since"}
    return outcomes_of(answer)


def revoke(stage: Stage, who: str, own: bool) -> list[Outcome]:
    number = stage.once("revocable", stage.consented).number
    return _revoked(stage, who, number, "fraud")


def revoke_wrong_data(stage: Stage, who: str) -> list[Outcome]:
    number = stage.once("revocable", stage.consented).number
    return _revoked(stage, who, number, "data_error")


def _revoked(stage: Stage, who: str, number: str, reason: str) -> list[Outcome]:
    """Ask to revoke a certificate by its number, and then again in a list of numbers."""
    return outcomes_of(
        stage.post(who, f"/v1/certificates/{number}/revoke", {"reason": reason}),
        stage.post(who, "/v1/certificates/revocations", {"numbers": [number], "reason": reason}),
    )


def annul(stage: Stage, who: str) -> list[Outcome]:
    asset = stage.once("annullable", stage.pilot.confirmed)
    return outcomes_of(stage.post(who, f"/v1/assets/{asset}/annulment", {"reason": "fraud", "grounds": "来源不合法"}))


def suspend(stage: Stage, who: str, own: bool) -> list[Outcome]:
    path = f"/v1/certificates/{stage.once('suspendable', stage.consented).number}"
    return outcomes_of(
        stage.post(who, f"{path}/suspend", {"reason": "investigation"}),
        stage.post(who, f"{path}/resume", {"reason": "lifted"}),
    )


def hold(stage: Stage, who: str, own: bool) -> list[Outcome]:
    consent = stage.once("holdable", stage.consented)
    statement = stage.ledger.usage.authorizations.get(consent.authorization).digest
    return outcomes_of(
        stage.post(who, f"/v1/certificates/{consent.number}/hold", {"reason": "investigation"}),
        stage.post(who, "/v1/holds", {"statements": [statement], "reason": "investigation"}),
    )


def lift(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Lift a hold set by the caller's role (authority or supervisor); if ``own`` is false, a hold of the other role."""
    other = "V" if who == "A" else "A"
    holder = who if own and who in "AV" else other
    consent, statement = stage.once(f"held by {holder}", lambda: stage.held_by(holder))
    return outcomes_of(
        stage.post(who, f"/v1/certificates/{consent.number}/lift", {"reason": "lifted"}),
        stage.post(who, "/v1/holds/lift", {"statements": [statement]}),
    )


def use(stage: Stage, who: str, own: bool) -> list[Outcome]:
    name = "C" if own else "C2"
    consent = stage.once(f"usable by {name}", lambda: stage.consented("S", name, "P"))
    return shown(stage.post(who, "/v1/presentations", stage.presented(consent)))


def sign_use(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Submit a use that the consumer signed with its own key. A caller other than the consumer gets no claims for this
    signature.
    """
    away = stage.once("away", lambda: stage.join_away("away"))
    consent = stage.once("usable by away", lambda: stage.consented("S", "away", "P"))
    proposed = stage.done(stage.post("away", "/v1/presentations", stage.presented(consent)))
    assert not proposed["disclosed"] and not proposed["claims"]
    path, body = stage.signed_use(away, proposed["use"])
    return shown(stage.post("away" if own and who == "C" else who, path, body))
