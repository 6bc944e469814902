"""Reads the exported W3C PROV document with independent JSON-LD and RDF libraries."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import PROV, RDF, Namespace

from ledger.proof.assets.recorded_history import RecordedHistory
from ledger.provenance.prov import asset_urn, certificate_urn, document_urn, moment, party_urn, prov_document
from tests.support.bundles.asset_histories import (
    ASSET,
    BANK,
    BORN,
    FIRM,
    PARENT,
    PROVIDER,
    SUCCESSOR,
    digest,
    recorded_life,
)

PZ = Namespace("urn:pingzheng:terms:")
DATE_TIME = URIRef("http://www.w3.org/2001/XMLSchema#dateTime")


def read(history: RecordedHistory) -> Graph:
    """Write the document as text and read it with rdflib."""
    return Graph().parse(data=json.dumps(prov_document(history)), format="json-ld")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return read(recorded_life())


def urn(*parts: object) -> URIRef:
    return URIRef(":".join([asset_urn(ASSET), *map(str, parts)]))


def test_the_same_history_gives_the_same_document() -> None:
    assert json.dumps(prov_document(recorded_life())) == json.dumps(prov_document(recorded_life()))


def test_every_event_is_one_activity_with_actor_and_time_and_transaction(graph: Graph) -> None:
    history = recorded_life()
    assert set(graph.subjects(RDF.type, PZ.Event)) == {urn("event", no + 1) for no in range(len(history.events))}
    for ordinal, event in enumerate(history.events, start=1):
        activity = urn("event", ordinal)
        assert set(graph.objects(activity, RDF.type)) == {PROV.Activity, PZ.Event, PZ[event.name]}
        time = Literal(moment(event.at), datatype=DATE_TIME)
        assert list(graph.objects(activity, PROV.startedAtTime)) == [time]
        assert list(graph.objects(activity, PROV.endedAtTime)) == [time]
        agent = URIRef(party_urn(history.parties[event.by].id))
        assert list(graph.objects(activity, PROV.wasAssociatedWith)) == [agent]
        assert (agent, RDF.type, PROV.Agent) in graph
        assert list(graph.objects(activity, PZ.transaction)) == [Literal(event.tx)]
        assert list(graph.objects(activity, PZ.ordinal)) == [Literal(ordinal)]


def test_every_value_of_the_document_is_a_triple(graph: Graph) -> None:
    """If a term were missing in the JSON-LD context, the term's values would yield no triple."""
    nodes = prov_document(recorded_life())["@graph"]
    values = sum(
        len(value) if isinstance(value, list) else 1 for node in nodes for name, value in node.items() if name != "@id"
    )
    assert len(graph) == values > 400
    assert all(isinstance(each, URIRef) for each in graph.subjects())
    assert all(str(each).startswith((str(PROV), str(PZ), str(RDF))) for each in graph.predicates())


def test_both_ends_of_every_relation_are_nodes(graph: Graph) -> None:
    """Each end of a relation is a node, and it has the class that PROV requires at that end of the relation."""
    ends = {
        PROV.used: (PROV.Activity, PROV.Entity),
        PROV.wasAssociatedWith: (PROV.Activity, PROV.Agent),
        PROV.wasAttributedTo: (PROV.Entity, PROV.Agent),
        PROV.wasDerivedFrom: (PROV.Entity, PROV.Entity),
        PROV.wasGeneratedBy: (PROV.Entity, PROV.Activity),
        PROV.wasInvalidatedBy: (PROV.Entity, PROV.Activity),
        PROV.wasRevisionOf: (PROV.Entity, PROV.Entity),
        PROV.specializationOf: (PROV.Entity, PROV.Entity),
    }
    for relation, (subject_class, object_class) in ends.items():
        pairs = list(graph.subject_objects(relation))
        assert pairs, relation
        for subject, target in pairs:
            assert (subject, RDF.type, subject_class) in graph
            assert (target, RDF.type, object_class) in graph


def test_a_new_content_or_holder_makes_a_new_version_of_the_asset(graph: Graph) -> None:
    parties = recorded_life().parties
    versions = sorted(graph.subjects(RDF.type, PZ.AssetVersion), key=str)
    assert versions == [urn("version", number) for number in (1, 2, 3, 4)]
    for version, content, holder, revised in (
        (versions[0], "content", PROVIDER, []),
        (versions[1], "content", FIRM, [versions[0]]),
        (versions[2], "corrected", FIRM, [versions[1]]),
        (versions[3], "corrected", BANK, [versions[2]]),
    ):
        assert list(graph.objects(version, PZ.content)) == [Literal(f"sha-256:{digest(content)}")]
        assert list(graph.objects(version, PROV.wasAttributedTo)) == [URIRef(party_urn(parties[holder].id))]
        assert list(graph.objects(version, PROV.wasRevisionOf)) == revised
        assert list(graph.objects(version, PROV.specializationOf)) == [urn()]
        assert len(list(graph.objects(version, PROV.invalidatedAtTime))) == 1


def test_prov_contains_lineage_and_reports_and_rights_and_liens_and_end_of_an_asset(graph: Graph) -> None:
    ended = Literal(moment(BORN + 290), datatype=DATE_TIME)
    assert list(graph.objects(urn(), PROV.invalidatedAtTime)) == [ended]
    assert list(graph.objects(urn(), PROV.wasDerivedFrom)) == [URIRef(asset_urn(PARENT))]
    assert list(graph.objects(URIRef(asset_urn(SUCCESSOR)), PROV.wasRevisionOf)) == [urn()]
    parties = recorded_life().parties
    report = URIRef(document_urn(digest("quality")))
    assert (report, RDF.type, PZ.Report) in graph
    assert list(graph.objects(report, PROV.wasAttributedTo)) == [URIRef(party_urn(parties[BANK].id))]
    assert len(list(graph.objects(urn("right", 1), PROV.wasAttributedTo))) == 2
    assert list(graph.objects(urn("right", 1), PROV.invalidatedAtTime)) == [
        Literal(moment(BORN + 95), datatype=DATE_TIME)
    ]
    (lien,) = graph.subjects(RDF.type, PZ.Lien)
    assert list(graph.objects(lien, PROV.invalidatedAtTime)) == [Literal(moment(BORN + 180), datatype=DATE_TIME)]


def test_prov_contains_registration_certificates(graph: Graph) -> None:
    first, second = (URIRef(certificate_urn(each.number)) for each in recorded_life().certificates)
    assert list(graph.objects(first, PROV.wasDerivedFrom)) == [urn("version", 1)]
    assert list(graph.objects(second, PROV.wasDerivedFrom)) == [urn("version", 2)]
    assert list(graph.objects(second, PROV.wasRevisionOf)) == [first]
    assert list(graph.objects(first, PROV.invalidatedAtTime)) == list(graph.objects(second, PROV.generatedAtTime))
    assert list(graph.objects(second, PROV.invalidatedAtTime)) == [Literal(moment(BORN + 290), datatype=DATE_TIME)]


def test_prov_does_not_mark_a_registered_asset_as_invalidated() -> None:
    life = recorded_life()
    graph = read(replace(life, events=life.events[:6]))
    assert not list(graph.triples((urn(), PROV.invalidatedAtTime, None)))
    assert not list(graph.triples((urn("version", 1), PROV.invalidatedAtTime, None)))


def test_prov_contains_the_head_and_the_genesis_of_the_asset(graph: Graph) -> None:
    life = recorded_life()
    assert list(graph.objects(urn(), PZ.head)) == [Literal(life.head)]
    assert list(graph.objects(urn(), PZ.genesis)) == [Literal(life.genesis)]
    assert list(graph.objects(urn(), PZ.events)) == [Literal(len(life.events))]
