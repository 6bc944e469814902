"""The calls of the catalogue's routes for the access table. The expected results are in idor.yaml."""

from __future__ import annotations

from ledger.proof.jws import sign_entry
from tests.api.permissions.idor_calls import Call, Maker
from tests.api.permissions.idor_stage import Objects, Scene


def put_system(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call(scene.system(objects))


def important(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"title": "重要", "pattern": f"no such title {scene.stage.code()}"})


def coded(**body: object) -> Maker:
    return lambda scene, objects, who, kind: Call(body | {"code": objects.draft})


def duty(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"code": objects.draft, "department": scene.stage.parties[objects.provider], "sla_days": 3})


def put_resource(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Save the resource without a change, so that an allowed call records nothing."""
    document = scene.ledger.catalogue.data.document(
        objects.draft, 1, scene.ledger.roles.actor(scene.stage.parties["A"])
    )
    return Call({"resource": document})


def retire(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    code = scene.stage.once(f"to retire {objects.provider}", lambda: scene.stage.submitted(objects.provider))
    return Call({"code": code, "reason": "court"})


def block(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    code = scene.stage.once(f"to block {objects.provider}", lambda: scene.stage.submitted(objects.provider))
    return Call({"code": code, "reason": "court"})


def on_refusable(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call({"reason": "court"}, {"demand": objects.refusable})


def appoint(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Repeat what is in force, so that an allowed call changes nothing: D stays the chief data officer of P, and the
    department that owns the other parties' objects stays without one.
    """
    cdo = scene.stage.parties["D"] if kind == "own" else None
    return Call({"department": scene.stage.parties[objects.provider], "cdo": cdo})


def publish(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Publish a resource of P that D has signed. For other parties' objects, publish the draft of another department;
    nobody has signed it.
    """
    return Call({"code": scene.stage.once("signed", scene.stage.signed_resource) if kind == "own" else objects.draft})


def published(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    """Publish a resource with D's signature. For own objects, it is a resource of P; otherwise it is a resource of
    another department, for which D may not sign.
    """
    statement = scene.signature["statement"]
    if kind == "own":
        return Call({"statement": statement})
    entry = {name: value for name, value in statement.items() if name != "signature"}
    return Call({"statement": sign_entry(entry | {"resource": objects.draft}, scene.stage.signer("D"))})


def opened(scene: Scene, objects: Objects, who: str, kind: str) -> Call:
    return Call(None, {"code": scene.opened})
