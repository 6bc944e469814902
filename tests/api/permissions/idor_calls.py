"""The calls of the access table: for each route, the path, query and body of a call about a given object. The expected
results are in idor.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ledger.parties.custody import new_key, signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.proof.jws import Signer
from ledger.proof.suites.suite import ES256, ES256K
from tests.api.permissions.idor_stage import DIGEST, Objects, Scene
from tests.support.actors.signing_in import token_of
from tests.support.api.parts import handed_in

SIGNATURE, TEXT = "0" * 128, "理由"
CASE = "（2026）湛数监12号"


@dataclass(frozen=True)
class Call:
    """The body, query and path values of a call; each is empty if the call needs none. ``token`` replaces the caller's
    token.
    """

    body: object = None
    path: Mapping[str, object] = field(default_factory=dict)
    query: str = ""
    token: str | None = None


Maker = Callable[[Scene, Objects, str, str], Call]


def said(**body: object) -> Maker:
    return lambda scene, objects, who, kind: Call(body)


def places(scene: Scene, objects: Objects, who: str, kind: str) -> dict[str, Callable[[], object]]:
    """Return a map from each path parameter's name to a function that makes its value."""
    parties = scene.stage.parties
    return {
        "party": lambda: scene.party(who) if kind == "self" else parties[objects.subject],
        "number": lambda: objects.live.number,
        "authorization": lambda: objects.live.authorization,
        "provision": lambda: objects.live.provision,
        "request": lambda: objects.request,
        "presentation": lambda: objects.presentation,
        "asset": lambda: objects.assets[0],
        "session": lambda: scene.session_of(objects.subject),
        "key": lambda: scene.stage.once(f"key of {objects.subject}", lambda: scene.new_key(objects.subject)[0]),
        "demand": lambda: objects.demand,
        "code": lambda: objects.draft,
        "version": lambda: 1,
        "digest": lambda: scene.scenario_draft,
        "operation": lambda: scene.operation,
        "entry": lambda: scene.important,
        "seq": lambda: objects.live.seq,
    }


# Calls about parties and keys


def sign_out(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Use a second session of the caller, because signing out ends the session with which the call is made."""
    return Call() if who in "UEK" else Call(token=token_of(scene.ledger, scene.party(who)))


def nonce(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"party": scene.party(who) if kind == "self" else scene.stage.parties[objects.subject]})


def enrolment(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"code": "pe_of_nobody"} | handed_in(scene.stage.api, signer_of_key(new_key(ES256K))))


def onboard(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Onboard a party that is already known, so that an allowed call changes nothing."""
    return Call({"parties": [scene.identity("S")]})


def mandate(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"broker": scene.stage.parties["B"], "valid_to": 1})


def roles(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Give roles to a party: one more role if the party is the caller, else only the roles that the party
    already has.
    """
    party = scene.party(who) if kind == "self" else scene.stage.parties[objects.subject]
    has = [*scene.ledger.roles.of([party])[party]]
    return Call({"roles": [*has, "subject" if "subject" not in has else "consumer"] if kind == "self" else has})


def key_in_use(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Submit a key that another party already uses, with a proof of possession for the party in the path."""
    return Call(proven(scene, scene.stage.signer("S2"), scene.party(who)))


def further(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    if kind == "self":
        return key_in_use(scene, objects, who, kind)
    party = spare(scene)
    return Call(proven(scene, signer_of_key(new_key(ES256)), party), {"party": party})


def recovery(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    if kind == "self":
        return key_in_use(scene, objects, who, kind)
    party = spare(scene)
    return Call(proven(scene, signer_of_key(new_key(ES256K)), party), {"party": party})


def proven(scene: Scene, signer: Signer, party: str) -> dict[str, str]:
    """Return a body with the key, and with its proof of possession made for the given party."""
    proof = possession_of(scene.ledger.reader.chain, signer, scene.ledger.reader.party_no(party))
    return {"public_key": signer.public_key, "proof": proof}


def spare(scene: Scene) -> str:
    return scene.spare()


def erase_party(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Erase the caller's own party. A subject erases a new subject instead, because erasing is final."""
    if kind == "others":
        return Call({"reason": "court"}, {"party": scene.gone})
    body = {"reason": "subject_request"}
    if who != "S":
        return Call(body)
    leaving = spare(scene)
    return Call(body, {"party": leaving}, token=token_of(scene.ledger, leaving))


def about(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({}, {"number": scene.about(objects.subject)})


def look_at(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call(None, {"number": scene.pending(objects.subject)})


def end_pause(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    scene.paused()
    return Call({})


# Calls about requests, authorizations, provisions and certificates


def draft_request(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call(scene.stage.request(objects.subject, objects.consumer, objects.provider))


def statement(member: str, of: str) -> Maker:
    """Submit an invalid statement that names the party ``of``."""

    def call(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
        named = {member: scene.stage.parties[getattr(objects, of)]}
        body: dict[str, object] = {"statements": [named]} if of == "subject" else {"statement": named}
        if of == "consumer":
            body["note"] = {"contact": "x", "salt": "a" * 22}
        return Call(body)

    return call


def withdrawal(of: str) -> Maker:
    """Submit a withdrawal that does not withdraw the statement in the path of the call, but an unknown statement."""

    def call(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
        return Call({"statement": {"party": scene.stage.parties[getattr(objects, of)], "statement": DIGEST}})

    return call


def closed_request(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call(None, {"request": request_of(scene, objects)})


def request_of(scene: Scene, objects: Objects) -> str:
    return scene.ledger.usage.authorizations.get(objects.live.authorization).request_id


def issue(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Ask to issue a certificate for a request that already has its certificate."""
    return Call({"request": request_of(scene, objects)})


def issue_many(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"items": [{"request": request_of(scene, objects)}]})


def in_a_batch(single: Maker) -> Maker:
    """Return a maker of calls that send the body of ``single`` as the only item of a batch."""
    return lambda scene, objects, who, kind: Call({"items": [single(scene, objects, who, kind).body]})


def task(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call(None, {"authorization": objects.task})


def held_by(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Ask for the holdings of the subject, or of all parties."""
    party = "all" if kind == "all" else scene.stage.parties[objects.subject]
    return Call(query=f"party={party}")


def on_ended(**body: object) -> Maker:
    """Act on a revoked certificate."""
    return lambda scene, objects, who, kind: Call(body, {"number": objects.ended.number})


def in_a_list(**body: object) -> Maker:
    """Act on a list of certificates that contains only a revoked certificate."""
    return lambda scene, objects, who, kind: Call(body | {"numbers": [objects.ended.number]})


def supersede(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"successor": objects.live.number}, {"number": objects.ended.number})


def on_statement(**body: object) -> Maker:
    """Act on the authorization of a revoked certificate."""

    def call(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
        digest = scene.ledger.usage.authorizations.get(objects.ended.authorization).digest
        return Call(body | {"statements": [digest]})

    return call


def verify(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"certificate_no": objects.live.number})


def present(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call(scene.stage.presented(objects.live))


# Calls about assets


def register(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    body: dict[str, object] = {"resource": scene.stage.described().to_dict()}
    return Call(body if kind == "self" else body | {"applicant": scene.stage.parties[objects.provider]})


def offer(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"to": scene.stage.parties[objects.offered_to]}, {"asset": objects.assets[3]})


def answer(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Reject or withdraw an offer: the asset stays with its holder."""
    return Call({}, {"asset": scene.offered(objects)})


def accept(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Accept an offer of an asset that no other call uses, because an allowed call gives the asset another holder."""
    return Call({}, {"asset": scene.offered(objects, 6)})


def annul(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Annul an asset that no other call uses."""
    return Call({"reason": "fraud", "grounds": TEXT}, {"asset": objects.assets[7]})


def reassign(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Reassign the first of the assets that still belong to a holder without an active key."""
    gone = scene.ledger.reader.asset(scene.silent[0])
    assert gone is not None
    asset = scene.silent[gone.holder != scene.stage.parties["silent"]]
    return Call({"to": scene.stage.parties[objects.offered_to], "grounds": TEXT}, {"asset": asset})


def decide(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"state": "upheld", "reason": TEXT}, {"number": 1})


def grant(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    to = {"grantee": scene.stage.parties["another bank"]}
    return Call(scene.new_right(objects) | to, {"asset": objects.assets[4]})


def on_right(**body: object) -> Maker:
    return lambda scene, objects, who, kind: Call(
        {"to": scene.stage.parties["S2"]} if body.get("to") else body,
        {"asset": objects.assets[2], "number": scene.right(objects)},
    )


def pledge(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    terms = {"amount": 100, "due": "2040-01-31", "contract": DIGEST}
    return Call(terms | {"creditor": scene.stage.parties["another bank"]}, {"asset": objects.assets[4]})


def apply(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"kind": "cancel", "reason": TEXT}, {"asset": objects.assets[5]})


def on_lien(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({}, {"asset": objects.assets[2], "number": scene.lien(objects)})


def link(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"relation": "derived_from", "parent": objects.assets[3]})


def replace(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"successor": objects.assets[3]})
