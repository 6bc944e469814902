"""Changes of keys, roles and status over HTTP: which changes a party may make to itself, and which to other parties."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.parties.custody import new_key, signer_of_key
from ledger.proof.acts import sign_act
from ledger.proof.jws import Signer, public_jwk
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3, Suite
from tests.api.assets import resource
from tests.api.flow import ask
from tests.support.api.parts import Api, handed_in
from tests.support.api.stage import Stage


def elsewhere(api: Api, suite: Suite = ES256K, part: str | None = None) -> tuple[Signer, dict[str, str]]:
    """Return a key that the service does not keep, and the body of the call that submits the key: the public key with
    its proof of possession, for party ``part`` or for a new party.
    """
    signer = signer_of_key(new_key(suite))
    return signer, handed_in(api, signer, None if part is None else api.parties[part])


def kept(api: Api) -> str:
    """Return the public key of a new key pair. The installation keeps the private key."""
    (account,) = api.pilot.ledger.custody.create()
    return api.pilot.ledger.custody.public_key(account)


def newcomer(api: Api, kind: PartyKind, role: Role) -> str:
    """Onboard a party that no other test uses, and return the name under which it makes calls."""
    name = f"newcomer {len(api.parties)}"
    api.parties[name] = api.pilot.party(kind, role)
    return name


def path(api: Api, part: str, leaf: str) -> str:
    return f"/v1/parties/{api.parties[part]}/{leaf}"


def account_of_part(api: Api, part: str) -> str:
    return str(api.get(part, f"/v1/parties/{api.parties[part]}").json()["account"])


def test_a_party_rotates_only_its_own_key(api: Api) -> None:
    before = account_of_part(api, "bank")
    answer = api.post("bank", path(api, "bank", "accounts"), {"public_key": kept(api)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["account"] != before
    for part in ("authority", "other_bank"):
        refused = api.post(part, path(api, "bank", "accounts"), elsewhere(api, part="bank")[1])
        assert (refused.status_code, refused.json()["code"]) == (403, "NOT_THE_PARTY")


def test_a_party_that_keeps_its_own_key_gets_the_data_to_sign(api: Api) -> None:
    firm = newcomer(api, PartyKind.ENTERPRISE, Role.SUBJECT)
    signer, whole = elsewhere(api, part=firm)
    first = api.post(firm, path(api, firm, "accounts"), whole)
    assert first.status_code == 200, first.text
    api.tokens.elsewhere[api.parties[firm]] = signer
    asked = api.post(firm, path(api, firm, "accounts"), elsewhere(api, part=firm)[1])
    assert (asked.status_code, asked.json()["code"]) == (409, "SIGNATURE_REQUIRED")
    assert asked.json()["details"]["typed_data"]["primaryType"] == "ForwardRequest"


def test_a_key_that_the_service_does_not_keep_needs_a_proof_of_possession(api: Api) -> None:
    signer, whole = elsewhere(api)
    _, other = elsewhere(api)
    for proof, code in (("", "PROOF_MISSING"), (other["proof"], "PROOF_INVALID")):
        answer = api.post("bank", path(api, "bank", "accounts"), {"public_key": signer.public_key, "proof": proof})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    bank = {"kind": "bank", "name": "湛江另一银行（演示）", "identifier": synthetic_uscc("440800", 9411)}
    body: dict[str, Any] = {"parties": [bank | {"region": "440800", "public_key": signer.public_key}]}
    refused = api.post("authority", "/v1/parties", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "PROOF_MISSING")
    _, phone = elsewhere(api, ES256)
    body["parties"] = [bank | {"region": "440800", "further_keys": [phone]} | whole]
    created = api.post("authority", "/v1/parties", body)
    assert created.status_code == 201, created.text
    assert created.json()["proposals"] == []
    keys = api.pilot.ledger.parties.keys.history(created.json()["parties"][0]["id"])
    assert {key.public_key for key in keys} == {signer.public_key, phone["public_key"]}


def test_two_authorities_recover_a_key_and_record_the_time_of_the_compromise(api: Api) -> None:
    firm = newcomer(api, PartyKind.ENTERPRISE, Role.SUBJECT)
    lost = account_of_part(api, firm)
    recovered = api.post("authority", path(api, firm, "recovery"), {"public_key": kept(api)})
    assert recovered.status_code == 200, recovered.text
    assert recovered.json()["account"] != lost
    dated: dict[str, Any] = {"account": lost, "compromised_at": 1_600_000_000}
    assert api.post("authority", path(api, firm, "compromise"), dated).status_code == 200
    later = api.post("authority", path(api, firm, "compromise"), dated | {"compromised_at": 1_650_000_000})
    assert (later.status_code, later.json()["code"]) == (422, "PARTY_COMPROMISE_TIME")
    record = api.pilot.ledger.reader.account(lost)
    assert record is not None
    assert record.compromised_at == 1_600_000_000


def test_a_request_for_a_recovery_must_not_contain_a_time_of_compromise(api: Api) -> None:
    """A time of compromise can be recorded only by a separate proposal."""
    body = {"public_key": kept(api), "compromised_at": 1_600_000_000}
    answer = api.post("authority", path(api, "firm", "recovery"), body)
    assert (answer.status_code, answer.json()["where"]) == (422, "body.compromised_at")


def test_a_party_can_retire_a_second_key_that_was_bound_to_it(api: Api) -> None:
    signer, body = elsewhere(api, SM2SM3, "bank")
    before = account_of_part(api, "bank")
    stranger = api.post("other_bank", path(api, "bank", "further-accounts"), body)
    assert (stranger.status_code, stranger.json()["code"]) == (403, "PARTY_LACKS_ROLE")
    bound = api.post("authority", path(api, "bank", "further-accounts"), body)
    assert (bound.status_code, bound.json()["account"]) == (200, before), bound.text
    for part, code in (("authority", "NOT_THE_PARTY"), ("other_bank", "NOT_THE_PARTY")):
        refused = api.post(part, path(api, "bank", "retirement"), {"account": signer.kid})
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    retired = api.post("bank", path(api, "bank", "retirement"), {"account": signer.kid})
    assert retired.status_code == 200, retired.text
    record = api.pilot.ledger.reader.account(signer.kid)
    assert record is not None and record.valid_to > 0


def test_a_party_binds_a_second_key_and_uses_the_second_key_to_report_the_first(stage: Stage) -> None:
    """The second key is on a phone and signs the report. The service only sends the report to the chain."""
    party = stage.parties[stage.join_named("owner", "S")]
    lost = stage.ledger.parties.register.get(party).account
    phone = signer_of_key(new_key(ES256))
    stage.done(stage.post("owner", f"/v1/parties/{party}/further-accounts", handed_in(stage.api, phone, party)))
    # From here the party signs in with the phone's key, because reporting the first key ends the sessions of that key.
    stage.api.tokens.elsewhere[party] = phone
    drafting = f"/v1/parties/{party}/reports?reported={lost}&account={phone.kid}"
    drafted = stage.done(stage.get("owner", drafting))
    act = sign_act(bytes.fromhex(drafted["message"]), phone).hex()
    reported = {"reported": lost, "act": act, "account": phone.kid}
    stranger = stage.post("S2", f"/v1/parties/{stage.parties['S2']}/reports", reported)
    assert (stranger.status_code, stranger.json()["code"]) == (403, "PARTY_UNKNOWN_ACCOUNT")
    stage.done(stage.post("owner", f"/v1/parties/{party}/reports", reported))
    record = stage.ledger.reader.account(lost)
    assert record is not None and record.reported_at
    events = [item["event"] for item in stage.done(stage.get("owner", f"/v1/parties/{party}/key-changes"))["items"]]
    assert events == ["AccountBound", "Proposed", "ProposalEnded", "AccountBound", "AccountReported"]
    assert stage.get("S2", f"/v1/parties/{party}/key-changes").json()["code"] == "PARTY_LACKS_ROLE"
    assert stage.get("S2", f"/v1/parties/{party}/reports?reported={lost}").json()["code"] == "NOT_THE_PARTY"


@pytest.mark.parametrize("part", ["platform", "authority"])
def test_the_key_of_the_running_service_is_not_replaced(api: Api, part: str) -> None:
    answer = api.post(part, path(api, part, "accounts"), elsewhere(api, part=part)[1])
    assert (answer.status_code, answer.json()["code"]) == (409, "OWN_KEY_IN_USE")


def test_an_authority_gives_roles_to_others_but_not_to_itself(api: Api) -> None:
    office = newcomer(api, PartyKind.SUPERVISOR, Role.SUPERVISOR)
    given = api.call("authority", "PUT", path(api, office, "roles"), json={"roles": ["supervisor", "cdo"]})
    assert (given.status_code, given.json()["roles"]) == (200, ["cdo", "supervisor"])
    own = api.call("authority", "PUT", path(api, "authority", "roles"), json={"roles": ["issuer"]})
    assert (own.status_code, own.json()["code"]) == (403, "PARTY_SELF_GRANT")


def test_an_admin_cannot_give_the_role_of_authority_or_registrar(api: Api) -> None:
    office, firm = newcomer(api, PartyKind.OPERATOR, Role.ADMIN), newcomer(api, PartyKind.ENTERPRISE, Role.SUBJECT)
    registrar = api.pilot.ledger.parties.register.get(api.parties["registrar"])
    identity = api.pilot.ledger.parties.register.identity(registrar.id)
    party = {"kind": registrar.kind, "region": registrar.region, "public_key": registrar.public_key} | identity
    giving = api.call(office, "PUT", path(api, firm, "roles"), json={"roles": ["subject", "authority"]})
    assert (giving.status_code, giving.json()["code"]) == (403, "PARTY_LACKS_ROLE"), giving.text
    answer = api.post(office, "/v1/parties", {"parties": [party]})
    assert (answer.status_code, answer.json()["code"]) == (403, "PARTY_OFFICE_BY_AUTHORITY"), answer.text
    ordinary = {"roles": ["subject", "broker"]}
    assert api.call(office, "PUT", path(api, firm, "roles"), json=ordinary).status_code == 200


def test_a_supervisor_suspends_and_restores_a_party(api: Api) -> None:
    assert api.get("other_firm", "/v1/parties").status_code == 200
    for status, reason in (("suspended", "court"), ("active", "lifted")):
        body = {"status": status, "reason": reason}
        answer = api.call("supervisor", "PUT", path(api, "other_firm", "status"), json=body)
        assert (answer.status_code, answer.json()["status"]) == (200, status)
        expected = 403 if status == "suspended" else 200
        assert api.get("other_firm", "/v1/parties").status_code == expected


def test_a_p256_key_may_be_the_only_key_of_a_party(api: Api) -> None:
    """A P-256 key can sign statements and vetoes, but not calls on the chain; such calls are refused."""
    signer, whole = elsewhere(api, ES256)
    utility = {
        "kind": "utility",
        "name": "湛江手机密钥公司（演示）",
        "identifier": synthetic_uscc("440800", 9410),
        "region": "440800",
        **whole,
    }
    created = api.post("authority", "/v1/parties", {"parties": [utility]})
    assert created.status_code == 201, created.text
    (party,) = created.json()["parties"]
    assert party["account"] == signer.kid
    api.tokens.elsewhere[party["id"]] = signer
    headers = api.tokens.header(party["id"])
    refused = api.post(None, "/v1/assets", {"resource": resource("p256")}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "KEY_CANNOT_ACT")


@pytest.mark.parametrize("suite", [ES256, SM2SM3], ids=lambda suite: suite.alg)
def test_a_rotation_to_a_key_that_cannot_send_transactions_is_refused(api: Api, suite: Suite) -> None:
    answer = api.post("bank", path(api, "bank", "accounts"), {"public_key": signer_of_key(new_key(suite)).public_key})
    assert (answer.status_code, answer.json()["where"]) == (422, "body.public_key")


@pytest.mark.parametrize("prefix", ["P256:", "p256", "sm2:p256:", "es256:"])
def test_a_key_must_have_the_prefix_of_its_curve(api: Api, prefix: str) -> None:
    body = {"public_key": prefix + "02" + "11" * 32}
    answer = api.post("authority", path(api, "bank", "further-accounts"), body)
    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_SHAPE")


@pytest.mark.parametrize("suite", [ES256K, ES256, SM2SM3], ids=lambda suite: suite.alg)
def test_a_consent_names_the_holder_key_and_its_curve(api: Api, suite: Suite) -> None:
    signer = signer_of_key(new_key(suite))
    jwk = public_jwk(signer.public_key).to_dict()
    drafting = f"/v1/requests/{ask(api)}/authorizations/draft"
    drafted = api.post("firm", drafting, {"holder_key": jwk})
    assert drafted.status_code == 200, drafted.text
    assert drafted.json()["drafts"][0]["entry"]["holder_key"] == jwk
    for wrong in (
        {name: value for name, value in jwk.items() if name != "crv"},
        jwk | {"crv": "P-384"},
        jwk | {"alg": suite.alg},
        jwk | {"x": jwk["x"] + "A"},
    ):
        answer = api.post("firm", drafting, {"holder_key": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_SHAPE")
    others = {"secp256k1": "P-256", "P-256": "SM2", "SM2": "secp256k1"}
    off = api.post("firm", drafting, {"holder_key": jwk | {"crv": others[jwk["crv"]]}})
    assert (off.status_code, off.json()["code"]) == (422, "JWK_INVALID")
