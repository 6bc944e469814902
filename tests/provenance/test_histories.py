"""Provenance of assets on a real chain: past states, exports, lineage."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from sqlalchemy import delete

from ledger.certificates.lookups import payload_of
from ledger.chain.sending.calls import record_use, withdraw
from ledger.domain.assets.lineage import LineageGraph
from ledger.errors import ChainUnavailable, Conflict
from ledger.index.tables import EVENTS
from ledger.proof.assets.history import view_at
from ledger.proof.assets.view import who_held
from ledger.proof.history import HistoryEvent, verify_history
from ledger.store import log as log_store
from tests.support.actors.pilots import Pilot
from tests.support.actors.supervisors import other_supervisor
from tests.support.actors.withdrawals import withdraw as withdraw_consent

CHINESE = re.compile("[\u4e00-\u9fff]")


def transferred(pilot: Pilot) -> str:
    """An asset that was frozen, and later transferred from the provider to the bank."""
    asset = pilot.confirmed()
    pilot.ledger.registration.transfers.freeze(pilot.actor(pilot.cast.supervisor), asset, "court")
    pilot.ledger.registration.transfers.unfreeze(pilot.actor(pilot.cast.supervisor), asset, "lifted")
    pilot.skip(10)
    pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), asset, pilot.cast.bank)
    pilot.ledger.registration.transfers.accept(pilot.actor(pilot.cast.bank), asset)
    pilot.ledger.anchoring.flush()
    return asset


def flags(graph: LineageGraph) -> dict[str, str | None]:
    return {node.asset: node.annulled_ancestor for node in graph.nodes}


def test_each_event_has_party_and_time_and_reason_and_transaction(pilot: Pilot) -> None:
    asset = transferred(pilot)
    answer = pilot.ledger.provenances.asset(asset)
    by_name = {event["name"]: event for event in answer.events}
    assert by_name["Frozen"]["names"] == {"reason": "court"}
    assert by_name["Frozen"]["by"] == pilot.cast.supervisor
    assert by_name["Advanced"]["names"] == {"stage": "noticed"}
    assert by_name["Confirmed"]["names"] == {"kind": "first"}
    assert by_name["TransferAccepted"]["names"] == {"from": pilot.cast.provider, "to": pilot.cast.bank}
    for event in answer.events:
        block = pilot.ledger.reader.block(event["block"])
        assert block is not None and block.time == event["at"]
        assert re.fullmatch("[0-9a-f]{64}", event["tx"])


def test_an_exported_history_is_proven_offline(pilot: Pilot) -> None:
    """The exported history contains each reason as text. The proof converts the reason to its number before hashing,
    because the chain hashed the number.
    """
    asset = transferred(pilot)
    exported = json.loads(json.dumps(pilot.ledger.provenances.asset(asset).to_dict()))
    proof = exported["completeness"]
    events = [HistoryEvent(f"{proof['contract']}.{each['name']}", each["args"]) for each in exported["events"]]
    start, head = bytes.fromhex(proof["genesis"]), bytes.fromhex(proof["head"])
    assert verify_history(events, head, start).complete
    assert not verify_history(events[:-1], head, start).complete
    accepted = events[-1].args["at"]
    for time, holder in ((accepted - 1, pilot.cast.provider), (accepted, pilot.cast.bank)):
        offline, online = view_at(events, time), pilot.ledger.provenances.at(asset, time)
        assert offline == online
        assert online.holder is not None
        assert pilot.ledger.reader.party_id(online.holder) == holder
        assert [each.party for each in who_held(online, "hold")] == [online.holder]


def test_a_certificates_history_includes_events_of_its_evidence(pilot: Pilot) -> None:
    """Other parties may record uses or withdrawals of the same digests on the chain. Such records do not belong to the
    certificate's history.
    """
    ledger, cast, firm = pilot.ledger, pilot.cast, pilot.firm()
    number = pilot.certificate(firm)
    with ledger.database.read() as session:
        stated = payload_of(session, number)
        (consent,) = (log_store.statement(session, each[8:])["id"] for each in stated["authorizations"])
    assert pilot.accept(firm, number).valid
    account = ledger.parties.register.get(cast.other_bank).account
    pilot.fund(account)
    stranger = ledger.client.with_account(ledger.custody.private_key(account).hex())
    stranger.send(record_use(stated["request"][8:], 1))
    stranger.send(withdraw(stated["authorizations"][0][8:]))
    ledger.certificates.holds.hold(number, "investigation", cast.supervisor)
    other_supervisor(pilot)
    ledger.certificates.holds.lift(number, "lifted", cast.supervisor)
    withdraw_consent(pilot.actors, consent)
    history = ledger.provenances.certificate(number)
    assert history.completeness.complete
    listed = [(event["name"], event.get("names", {}).get("entry"), event["by"]) for event in history.events]
    operator, subject = ledger.installation.operator, cast.firms[firm]
    assert [each for each in listed if each[0] == "Used"] == [("Used", None, cast.bank)]
    assert [each for each in listed if each[0] == "Withdrawn"] == [("Withdrawn", "authorization", subject)]
    assert [each for each in listed if each[0] == "StatusChanged"] == [("StatusChanged", None, operator)]
    held = sorted(str(entry) for name, entry, by in listed if (name, by) == ("Held", cast.supervisor))
    assert held == ["None", "None", "request", "request"]
    assert {name for name, *_ in listed} == {
        "Issued",
        "Anchored",
        "Verified",
        "Used",
        "Held",
        "Withdrawn",
        "StatusChanged",
    }


def test_an_asset_has_the_state_none_before_its_registration(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    view = pilot.ledger.provenances.at(asset, 0)
    assert (view.state, view.holder) == ("none", None)


def test_prov_contains_certificates_and_no_names(pilot: Pilot) -> None:
    asset = transferred(pilot)
    document = pilot.ledger.provenances.prov(asset)
    nodes = {node["@id"]: node for node in document["@graph"]}
    certificates = [node for node in nodes.values() if "pz:RegistrationCertificate" in node["@type"]]
    newest = pilot.ledger.registration.registrations.get(asset)["certificate_no"]
    assert {node["@id"].rpartition(":")[2] for node in certificates} > {newest}
    certified = [node["wasDerivedFrom"] for node in certificates]
    assert sorted(certified) == [[f"urn:pingzheng:asset:{asset}:version:{number}"] for number in (1, 2)]
    versions = [node for node in nodes.values() if "pz:AssetVersion" in node["@type"]]
    resource = pilot.ledger.registration.registrations.get(asset)["resource"]
    assert len(versions) == 2 and len({node["pz:content"] for node in versions}) == 1
    text = json.dumps(document, ensure_ascii=False)
    assert not CHINESE.search(text)
    assert resource["title"] not in text


def test_histories_are_drawn_as_svg(pilot: Pilot) -> None:
    asset = transferred(pilot)
    for picture in (pilot.ledger.provenances.timeline(asset), pilot.ledger.provenances.lineage_svg(asset)):
        assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"


def test_the_lineage_marks_each_descendant_of_an_annulled_asset(pilot: Pilot) -> None:
    parent, beside = pilot.confirmed(), pilot.confirmed()
    (child,) = pilot.applied("provenance/child")
    (grandchild,) = pilot.applied("provenance/grandchild")
    pilot.ledger.registration.lineage.link(pilot.actor(pilot.cast.provider), child, "derived_from", parent)
    pilot.ledger.registration.lineage.link(pilot.actor(pilot.cast.provider), child, "merged_from", beside)
    pilot.take_through([child])
    pilot.ledger.registration.lineage.link(pilot.actor(pilot.cast.provider), grandchild, "split_from", child)
    before = pilot.ledger.provenances.lineage(child)
    assert flags(before) == dict.fromkeys([parent, beside, child, grandchild])
    pilot.ledger.registration.transfers.annul(pilot.actor(pilot.cast.supervisor), parent, "fraud", "forged title")
    for asset in (child, grandchild):
        graph = pilot.ledger.provenances.lineage(asset)
        assert flags(graph) == {parent: None, beside: None, child: parent, grandchild: parent}
        assert flags(graph)[asset] == pilot.ledger.reader.annulled_ancestor(asset)
    labels = {node.label for node in before.nodes}
    assert str(pilot.ledger.registration.registrations.get(child)["reg_no"]) in labels


def test_the_history_of_an_unknown_asset_is_refused(pilot: Pilot) -> None:
    provenances = pilot.ledger.provenances
    for ask in (provenances.asset, provenances.prov, provenances.timeline, provenances.lineage):
        with pytest.raises(Conflict, match="ASSET_NOT_ON_CHAIN"):
            ask("ee" * 32)


def test_a_history_is_refused_if_an_event_is_missing_in_the_index(pilot: Pilot) -> None:
    asset = transferred(pilot)
    provenances = pilot.ledger.provenances
    provenances.asset(asset)
    with pilot.ledger.database.engine.begin() as connection:
        connection.execute(delete(EVENTS).where(EVENTS.c.scope == asset, EVENTS.c.name == "Frozen"))
    try:
        assert not provenances.asset(asset).completeness.complete
        for ask in (
            lambda: provenances.at(asset, 1),
            lambda: provenances.prov(asset),
            lambda: provenances.timeline(asset),
        ):
            with pytest.raises(ChainUnavailable, match="HISTORY_INCOMPLETE"):
                ask()
    finally:
        pilot.ledger.follower.rebuild()
    assert provenances.asset(asset).completeness.complete
