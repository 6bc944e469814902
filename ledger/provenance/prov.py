"""Write an asset's history as W3C PROV-O in JSON-LD, with the context embedded, so that reading needs no network.

PROV entities are the asset, its versions (one for each confirmed content and each holder), its rights, liens and
certificates, and the documents whose digests the events contain. PROV activities are the events. PROV agents are the
parties, named by their opaque ids. Terms that PROV does not have begin with ``pz:``; times in these terms are seconds
UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ledger.domain.assets.events import documents_in, names_in, parties_in
from ledger.domain.assets.names import DESCRIBING
from ledger.domain.digests import reference
from ledger.proof.assets.recorded_history import RecordedCertificate, RecordedEvent, RecordedHistory

PZ: Final = "urn:pingzheng:terms:"
_LINKS: Final = (
    "used",
    "wasAssociatedWith",
    "wasAttributedTo",
    "wasDerivedFrom",
    "wasGeneratedBy",
    "wasInvalidatedBy",
    "wasRevisionOf",
    "specializationOf",
)
_TIMES: Final = ("startedAtTime", "endedAtTime", "generatedAtTime", "invalidatedAtTime")
CONTEXT: Final[dict[str, Any]] = {
    "prov": "http://www.w3.org/ns/prov#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "pz": PZ,
    **{name: {"@id": f"prov:{name}", "@type": "@id"} for name in _LINKS},
    **{name: {"@id": f"prov:{name}", "@type": "xsd:dateTime"} for name in _TIMES},
}
_OWN_PLACE: Final = frozenset({"id", "at", "by", "parent", "successor"})


def prov_document(history: RecordedHistory) -> dict[str, Any]:
    """Return the history as one JSON-LD document; the same history always gives the same document.

    The caller must have checked with ``verify_history`` that the history is complete. With ``pz:genesis`` and
    ``pz:head`` of the asset, a reader of the document can repeat the check.
    """
    writer = _Writer(history)
    for ordinal, event in enumerate(history.events, start=1):
        writer.event(ordinal, event)
    for certificate in history.certificates:
        writer.certificate(certificate)
    return {"@context": CONTEXT, "@graph": list(writer.nodes.values())}


@dataclass(frozen=True, slots=True)
class _Version:
    id: str
    content: str
    holder: int


@dataclass(slots=True)
class _Writer:
    """Collects the document's nodes under their ids, in the order in which they first appear."""

    history: RecordedHistory
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: list[_Version] = field(default_factory=list)
    filed: str = ""
    liens: dict[int, str] = field(default_factory=dict)
    ended_at: int | None = None

    def __post_init__(self) -> None:
        history = self.history
        self._put(
            self._asset,
            "prov:Entity",
            "pz:Asset",
            **{"pz:genesis": history.genesis, "pz:head": history.head},
            **{"pz:asOfBlock": history.block, "pz:events": len(history.events)},
        )

    @property
    def _asset(self) -> str:
        return asset_urn(self.history.asset)

    @property
    def _version(self) -> str:
        return self.versions[-1].id

    def event(self, ordinal: int, event: RecordedEvent) -> None:
        """Add the activity for an event, with the entities that the event used, generated and invalidated."""
        activity, time = f"{self._asset}:event:{ordinal}", moment(event.at)
        arguments = {f"pz:{name}": value for name, value in self._described(event).items()}
        position = {"pz:ordinal": ordinal, "pz:transaction": event.tx, "pz:block": event.block}
        agent = self._agent(event.by)
        self._put(activity, "prov:Activity", "pz:Event", f"pz:{event.name}", **position, **arguments)
        self._put(activity, startedAtTime=time, endedAtTime=time, wasAssociatedWith=agent)
        if self.versions:
            self._use(activity, self._version)
        for digest in documents_in(event.args).values():
            self._document(activity, event, digest, agent)
        self._effect(activity, event)

    def certificate(self, issued: RecordedCertificate) -> None:
        """Add a registration certificate, derived from the asset's version that it certifies.

        The asset's history has no event for the issue of a certificate, so the activity of the issue is added here too.
        """
        certificate, time = certificate_urn(issued.number), moment(issued.issued_at)
        issue, issuer, holder = f"{certificate}:issue", party_urn(issued.issuer), party_urn(issued.holder)
        self._put(issuer, "prov:Agent")
        self._put(holder, "prov:Agent")
        self._put(issue, "prov:Activity", "pz:Issue", startedAtTime=time, endedAtTime=time, wasAssociatedWith=issuer)
        self._put(certificate, "prov:Entity", "pz:RegistrationCertificate", generatedAtTime=time)
        self._put(certificate, **{"pz:leaf": reference(issued.leaf), "pz:holder": {"@id": holder}})
        self._put(certificate, wasGeneratedBy=issue, wasAttributedTo=issuer)
        certified = self._certified(issued)
        if certified is not None:
            self._use(issue, certified)
            self._add(certificate, "wasDerivedFrom", certified)
        if issued.supersedes is not None:
            earlier = certificate_urn(issued.supersedes)
            self._add(certificate, "wasRevisionOf", earlier)
            self._put(earlier, wasInvalidatedBy=issue, invalidatedAtTime=time)
        replaced = any(each.supersedes == issued.number for each in self.history.certificates)
        if self.ended_at is not None and not replaced:
            self._put(certificate, invalidatedAtTime=moment(self.ended_at))

    def _certified(self, issued: RecordedCertificate) -> str | None:
        """Return the newest version with the certificate's holder, preferably a version that also has the certificate's
        content."""
        held = [each for each in self.versions if self._party(each.holder) == issued.holder]
        same = [each for each in held if each.content == issued.content]
        return (same or held)[-1].id if held else None

    def _effect(self, activity: str, event: RecordedEvent) -> None:
        args = event.args
        kind = names_in(event.name, args).get("kind")
        match event.name:
            case "Registered":
                self._put(self._asset, wasGeneratedBy=activity, generatedAtTime=moment(event.at))
                self._put(self._asset, **{"pz:number": args["assetNo"]})
                self.filed = args["content"]
                self._new_version(activity, event, args["content"], args["holder"])
            case "Filed":
                self.filed = args["content"]
            case "Confirmed" if kind == "cancel":
                self._end(activity, event)
            case "Confirmed" if kind in DESCRIBING and self.filed != self.versions[-1].content:
                self._new_version(activity, event, self.filed, self.versions[-1].holder)
            case "TransferAccepted" | "Reassigned":
                self._new_version(activity, event, self.versions[-1].content, args["to"])
            case "Rejected" if kind == "first":
                self._end(activity, event)
            case "Annulled":
                self._end(activity, event)
            case "Linked" | "Replaced":
                self._relate(activity, event)
            case "RightGranted" | "RightTransferred" | "RightEnded":
                self._right(activity, event)
            case "Pledged" | "LienConsented" | "LienReleased":
                self._lien(activity, event)

    def _new_version(self, activity: str, event: RecordedEvent, content: str, holder: int) -> None:
        version = f"{self._asset}:version:{len(self.versions) + 1}"
        self._put(version, "prov:Entity", "pz:AssetVersion", specializationOf=self._asset)
        self._put(version, wasGeneratedBy=activity, generatedAtTime=moment(event.at))
        self._put(version, wasAttributedTo=self._agent(holder), **{"pz:content": reference(content)})
        self._add(version, "wasDerivedFrom", document_urn(content))
        if self.versions:
            self._add(version, "wasRevisionOf", self._version)
            self._invalidate(self._version, activity, event)
        self.versions.append(_Version(version, content, holder))

    def _end(self, activity: str, event: RecordedEvent) -> None:
        self.ended_at = event.at
        self._invalidate(self._version, activity, event)
        self._invalidate(self._asset, activity, event)

    def _relate(self, activity: str, event: RecordedEvent) -> None:
        parent = event.args.get("parent") if event.name == "Linked" else None
        if parent is not None:
            self._put(asset_urn(parent), "prov:Entity", "pz:Asset")
            self._use(activity, asset_urn(parent))
            self._add(self._asset, "wasDerivedFrom", asset_urn(parent))
            self._add(self._version, "wasDerivedFrom", asset_urn(parent))
            return
        successor = asset_urn(event.args["successor"])
        self._put(successor, "prov:Entity", "pz:Asset")
        self._use(activity, successor)
        self._add(successor, "wasRevisionOf", self._asset)

    def _right(self, activity: str, event: RecordedEvent) -> None:
        right = f"{self._asset}:right:{event.args['no']}"
        if event.name != "RightGranted":
            self._use(activity, right)
            if event.name == "RightEnded":
                self._invalidate(right, activity, event)
            else:
                self._add(right, "wasAttributedTo", self._agent(event.args["to"]))
            return
        parent = event.args["parent"]
        origin = f"{self._asset}:right:{parent}" if parent else self._version
        self._put(right, "prov:Entity", "pz:Right", wasGeneratedBy=activity, generatedAtTime=moment(event.at))
        self._put(right, wasDerivedFrom=origin, wasAttributedTo=self._agent(event.args["grantee"]))

    def _lien(self, activity: str, event: RecordedEvent) -> None:
        number = event.args["lien"]
        if event.name == "Pledged":
            # After a release, another lien can get the same number, so the id also contains the event's ordinal.
            self.liens[number] = f"{self._asset}:lien:{activity.rpartition(':')[2]}"
            self._put(self.liens[number], "prov:Entity", "pz:Lien", generatedAtTime=moment(event.at))
            self._put(self.liens[number], wasGeneratedBy=activity, wasDerivedFrom=self._version)
            self._put(self.liens[number], wasAttributedTo=self._agent(event.args["creditor"]))
            return
        self._use(activity, self.liens[number])
        if event.name == "LienReleased":
            self._invalidate(self.liens[number], activity, event)

    def _document(self, activity: str, event: RecordedEvent, digest: str, agent: str) -> None:
        document, first = document_urn(digest), document_urn(digest) not in self.nodes
        self._put(document, "prov:Entity", "pz:Document", **{"pz:digest": reference(digest)})
        if "report" not in event.args:
            self._use(activity, document)
        elif first:
            self._put(document, "pz:Report", wasGeneratedBy=activity, generatedAtTime=moment(event.at))
            self._put(document, wasAttributedTo=agent)

    def _described(self, event: RecordedEvent) -> dict[str, Any]:
        """Return an event's arguments with names in place of numbers, party ids in place of party numbers, and the
        algorithm of each digest."""
        described = {name: value for name, value in event.args.items() if name not in _OWN_PLACE}
        described |= names_in(event.name, event.args)
        described |= {name: {"@id": self._agent(number)} for name, number in parties_in(event.name, event.args).items()}
        for name in ("fingerprint", *documents_in(event.args)):
            if name in described:
                described[name] = reference(described[name])
        return {name: value for name, value in described.items() if value != "00" * 32}

    def _agent(self, number: int) -> str:
        agent = party_urn(self._party(number))
        self._put(agent, "prov:Agent", **{"pz:role": list(self.history.parties[number].roles)})
        return agent

    def _party(self, number: int) -> str:
        return self.history.parties[number].id

    def _use(self, activity: str, entity: str) -> None:
        self._add(activity, "used", entity)

    def _invalidate(self, entity: str, activity: str, event: RecordedEvent) -> None:
        self._put(entity, wasInvalidatedBy=activity, invalidatedAtTime=moment(event.at))

    def _put(self, node: str, *types: str, **properties: Any) -> None:
        known = self.nodes.setdefault(node, {"@id": node, "@type": []})
        known["@type"] += [each for each in types if each not in known["@type"]]
        known.update(properties)

    def _add(self, node: str, link: str, target: str) -> None:
        known = self.nodes.setdefault(node, {"@id": node, "@type": []})
        before = known.get(link, [])
        targets = [before] if isinstance(before, str) else before
        known[link] = targets if target in targets else [*targets, target]


def asset_urn(asset: str) -> str:
    return f"urn:pingzheng:asset:{asset}"


def party_urn(party: str) -> str:
    return f"urn:pingzheng:party:{party}"


def certificate_urn(number: str) -> str:
    return f"urn:pingzheng:certificate:{number}"


def document_urn(digest: str) -> str:
    return f"urn:pingzheng:sha-256:{digest}"


def moment(seconds: int) -> str:
    """Return seconds UTC as xsd:dateTime."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
