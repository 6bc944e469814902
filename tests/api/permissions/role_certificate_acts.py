"""Rows of the role matrix over HTTP: from a request to a certificate, its uses, its status and its end."""

from __future__ import annotations

from tests.api.permissions.role_outcomes import Outcome, shown, told
from tests.support.api.stage import Stage


def request(stage: Stage, who: str, own: bool) -> list[Outcome]:
    consumer = "C" if own else "C2"
    return told(stage.post(who, "/v1/requests/draft", stage.request("S2", consumer, "P")))


def read_request(stage: Stage, who: str) -> list[Outcome]:
    others = stage.ledger.usage.authorizations.get(stage.others.authorization)
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
    return _revoked(stage, who, number, "fraud")


def revoke_wrong_data(stage: Stage, who: str) -> list[Outcome]:
    number = stage.once("revocable", stage.consented).number
    return _revoked(stage, who, number, "data_error")


def _revoked(stage: Stage, who: str, number: str, reason: str) -> list[Outcome]:
    """By its number, and in a list of numbers."""
    return told(
        stage.post(who, f"/v1/certificates/{number}/revoke", {"reason": reason}),
        stage.post(who, "/v1/certificates/revocations", {"numbers": [number], "reason": reason}),
    )


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
    statement = stage.ledger.usage.authorizations.get(consent.authorization).digest
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
