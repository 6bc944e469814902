"""The callers of the access table, with one object of each kind that they own and one that other parties own."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ledger.domain.days import DAY
from ledger.domain.parties import PartyKind, Role
from ledger.parties.access.callers import Scope
from ledger.registration.rights import NewRight
from tests.api.permissions.role_power_acts import further_key, proposed
from tests.support.actors.signing_in import signed_in, signer_of, token_of
from tests.support.api.stage import Consent, Stage

NOT_BOUND = f"0x{'1' * 40}"
DIGEST = f"sha-256:{'0' * 64}"


@dataclass
class Objects:
    """Objects that belong to one subject, one provider and one consumer; the parties have the names of ``Stage``."""

    subject: str
    provider: str
    consumer: str
    # Eight confirmed assets of the holder, in this order. The first has an objection, the second an open offer, the
    # third rights and a lien. Calls offer the fourth, grant rights in the fifth, and submit applications about the
    # sixth. The seventh has an open offer that may be accepted, and the eighth may be annulled.
    assets: list[str]
    holder: str
    offered_to: str
    live: Consent = field(init=False)
    # This certificate is revoked already, so even a permitted call to revoke it fails and changes nothing. A call that
    # is not permitted gets a different error, because the permission is checked first.
    ended: Consent = field(init=False)
    request: str = field(init=False)
    task: str = field(init=False)
    demand: str = field(init=False)
    # The calls that refuse or appeal use this demand, and not ``demand``: after an appeal only an authority, and no
    # longer the consumer, can close a demand.
    refusable: str = field(init=False)
    draft: str = field(init=False)
    system: str = field(init=False)
    presentation: str = field(init=False)


class Scene:
    """The callers of the access table (the role matrix's parties, a broker without a mandate, a machine), and two
    groups of objects: the callers' own, and those of other parties.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage, self.ledger, self.pilot = stage, stage.ledger, stage.pilot
        # The broker of ``Stage`` has mandates, so a new party is the broker without a mandate.
        stage.parties["M"] = stage.parties["B"]
        stage.parties["B"] = self.pilot.party(PartyKind.BROKER, Role.BROKER)
        self.run_out = token_of(self.ledger, stage.parties["S"])
        own = self._assets()
        others = [self.pilot.confirmed() for _ in own]
        cast = self.pilot.cast
        stage.parties |= {"another provider": cast.provider, "another bank": cast.bank}
        self.groups = {
            "own": self._staged(Objects("S", "P", "C", own, "P", "C")),
            "others": self._staged(Objects("S2", "P2", "C2", others, "another provider", "another bank")),
        }
        self.key_id, self.machine_key = self.new_key("S")

    # Methods that prepare the objects

    def _assets(self) -> list[str]:
        """Register eight assets of P, and two of a party whose only key is then reported as lost.

        All sessions expire meanwhile, because a public notice lasts longer than a session.
        """
        stage, pilot = self.stage, self.pilot
        stage.join("silent", PartyKind.UTILITY, Role.PROVIDER)
        assets = pilot.handed_in(*(stage.described() for _ in range(8)), by=stage.parties["P"])
        self.silent = pilot.handed_in(*(stage.described() for _ in range(2)), by=stage.parties["silent"])
        pilot.take_through([*assets, *self.silent])
        lost = {"reported": self.ledger.parties.register.get(stage.parties["silent"]).account}
        stage.done(stage.post("A", f"/v1/parties/{stage.parties['silent']}/reports", lost))
        return assets

    def _staged(self, objects: Objects) -> Objects:
        stage, names = self.stage, (objects.subject, objects.consumer, objects.provider)
        objects.live, objects.ended = stage.consented(*names), stage.consented(*names)
        objects.presentation = self._used(objects)
        stage.done(stage.post("I", f"/v1/certificates/{objects.ended.number}/revoke", {"reason": "fraud"}))
        objects.request, objects.task = stage.asked(*names), stage.authorised(*names)
        demand = {"title": "用电", "purpose": "贷前", "legal_basis": "办法", "fields": ["kwh"]}
        objects.demand, objects.refusable = (
            stage.done(stage.post(objects.consumer, "/v1/demands", demand))["id"] for _ in range(2)
        )
        objects.draft = stage.submitted(objects.provider)
        objects.system = stage.code()
        stage.done(stage.post(objects.provider, "/v1/catalogue/systems", self.system(objects)))
        stage.done(stage.post(objects.consumer, "/v1/verify", stage.presented(objects.live)))
        self._encumber(objects)
        self._demanded(objects)
        return objects

    def _used(self, objects: Objects) -> str:
        """Present a certificate to the consumer and use it, so that it appears in the subject's readings."""
        stage = self.stage
        stage.done(stage.post(objects.consumer, "/v1/presentations", stage.presented(objects.ended)))
        presentations = stage.done(stage.get(objects.subject, f"/v1/certificates/{objects.ended.number}/presentations"))
        return str(presentations["items"][0]["id"])

    def _demanded(self, objects: Objects) -> None:
        """Record the consumer's demand for a resource of P, which the provider has a duty to share."""
        stage, code = self.stage, self._published()
        duty = {"code": code, "department": stage.parties[objects.provider], "sla_days": 3}
        stage.done(stage.post("A", "/v1/catalogue/duties", duty))
        for demand in (objects.demand, objects.refusable):
            stage.done(stage.post("A", f"/v1/demands/{demand}/match", {"code": code}))

    def _published(self) -> str:
        """Publish a resource of P that may be listed in the open catalogue."""
        stage, code = self.stage, self.stage.code()
        stage.done(stage.put("P", code, open_attr="open"))
        stage.done(stage.post("P", "/v1/catalogue/submissions", {"code": code}))
        stage.done(stage.post("D", "/v1/catalogue/publications/signature", stage.signature(code)))
        stage.done(stage.post("P", "/v1/catalogue/publications", {"code": code}))
        return code

    def _encumber(self, objects: Objects) -> None:
        """Raise an objection to the first asset, and place a lien on the third."""
        self.lien(objects)
        self.ledger.registration.objections.file(
            self.ledger.actor(self.stage.parties["another bank"]), objects.assets[0], "异议"
        )

    # Methods that return the objects for the calls

    def system(self, objects: Objects) -> dict[str, Any]:
        return {"code": objects.system, "name": "系统", "protection_level": 3}

    def party(self, who: str) -> str:
        """Return the caller's own party, or the subject if the caller has no party."""
        return self.stage.parties["S" if who in "UEK" else who]

    def token(self, who: str) -> str | None:
        """Return the caller's session token or machine key, or None for U."""
        if who == "U":
            return None
        if who in "EK":
            return self.run_out if who == "E" else self.machine_key
        return self.stage.api.tokens.header(self.stage.parties[who])["Authorization"].removeprefix("Bearer ")

    def new_key(self, who: str) -> tuple[str, str]:
        """Make a machine key of the party with the scope "read"; return the key's id and its secret."""
        token = self.token(who)
        assert token is not None
        caller = self.ledger.callers.of(token)
        made = self.ledger.machine_keys.new(caller, "reader", [Scope.READ], self.ledger.clock() + DAY)
        return made.row.id, made.key

    def session_of(self, who: str) -> str:
        party = self.stage.parties[who]
        return signed_in(self.ledger, party, signer_of(self.ledger, party)).id

    def about(self, who: str) -> int:
        """Return the number of a pending proposal that an authority made about the keys of ``who``."""
        return int(self.stage.once(f"about {who}", lambda: proposed(self.stage, further_key(self.stage, who))))

    def pending(self, who: str) -> int:
        """Return the number of a further proposal about the keys of ``who``. This proposal stays pending: no call
        confirms, cancels or vetoes it.
        """
        return int(self.stage.once(f"look at {who}", lambda: proposed(self.stage, further_key(self.stage, who))))

    def offered(self, objects: Objects, place: int = 1) -> str:
        """Return the asset at this place, with an open offer; if the last offer was answered, make a new one."""
        asset = objects.assets[place]
        record = self.ledger.reader.asset(asset)
        assert record is not None
        if record.offered_to is None:
            to = self.stage.parties[objects.offered_to]
            to = self.stage.parties["another bank"] if to == record.holder else to
            self.ledger.registration.transfers.offer(self.ledger.actor(record.holder), asset, to)
        return asset

    def lien(self, objects: Objects) -> int:
        """Return the number of the lien on the third asset; its creditor is the party that gets the offers. If the lien
        was released, make a new one.
        """
        asset = objects.assets[2]
        if not self.ledger.registration.liens.of(asset):
            holder, creditor = self.stage.parties[objects.holder], self.stage.parties[objects.offered_to]
            terms = {"amount": 100, "due": "2040-01-31", "contract": DIGEST}
            self.ledger.registration.liens.pledge(self.ledger.actor(holder), asset, creditor, terms)
        return int(self.ledger.registration.liens.of(asset)[0]["lien"])

    def right(self, objects: Objects) -> int:
        """Grant a right in the third asset to the party that gets the offers, and return the right's number."""
        asset = objects.assets[2]

        def grant() -> int:
            self.ledger.registration.rights.grant(
                self.ledger.actor(self.stage.parties[objects.holder]),
                asset,
                NewRight(**self.new_right(objects)),
            )
            return len(self.ledger.registration.rights.of(asset))

        return int(self.stage.once(f"right in {asset}", grant))

    def new_right(self, objects: Objects) -> dict[str, Any]:
        start = self.ledger.clock() + 60
        party = self.stage.parties[objects.offered_to]
        right = {"kind": "operate", "grantee": party, "start": start, "end": start + DAY, "scope": "试点"}
        return right | {"transferable": True}

    @cached_property
    def scenario_draft(self) -> str:
        body = {"scenario": self.stage.scenario()}
        return str(self.stage.done(self.stage.post("I", "/v1/scenarios/drafts", body))["digest"])

    @cached_property
    def operation(self) -> str:
        """Let the issuer ask for a certificate, and return the id of the operation that the service began for this."""
        stage = self.stage
        authorization = stage.authorised()
        stage.done(stage.post("P", "/v1/provisions", stage.provision(authorization)))
        return str(stage.done(stage.post("I", "/v1/certificates", stage.issuing(authorization)))["id"])

    @cached_property
    def important(self) -> str:
        entry = {"title": "重要", "pattern": f"no such title {self.stage.code()}"}
        return str(self.stage.done(self.stage.post("A", "/v1/catalogue/important", entry))["id"])

    @cached_property
    def opened(self) -> str:
        """Return a resource of P in the open catalogue."""
        code = self._published()
        self.stage.done(self.stage.post("P", "/v1/catalogue/open", {"code": code, "licence": "CC-BY-4.0"}))
        return code

    @cached_property
    def gone(self) -> str:
        """Return a subject whose texts were erased."""
        self.stage.join("gone", PartyKind.ENTERPRISE, Role.SUBJECT)
        party = self.stage.parties["gone"]
        self.stage.done(self.stage.post("A", f"/v1/parties/{party}/erasure", {"reason": "court"}))
        return party

    def spare(self) -> str:
        """Return a subject that no other object needs. After an allowed call, which may erase this subject or change
        its keys, the next call gets a new subject.
        """
        return str(self.stage.once("spare", lambda: self.stage.join("spare", PartyKind.ENTERPRISE, Role.SUBJECT)))

    def identity(self, who: str) -> dict[str, Any]:
        row = self.ledger.parties.register.get(self.stage.parties[who])
        identity = self.ledger.parties.register.identity(row.id)
        return {"kind": row.kind, "region": row.region, "public_key": row.public_key} | identity

    def paused(self) -> None:
        """Let another supervisor pause the ledger, unless it is already paused."""
        if not self.ledger.reader.paused_until():
            self.ledger.pauses.pause(self.ledger.actor(self.pilot.party(PartyKind.SUPERVISOR, Role.SUPERVISOR)))

    @cached_property
    def signature(self) -> dict[str, Any]:
        """Return a publication of a resource of P that D signed, but that nobody has submitted yet."""
        return self.stage.signature(self.stage.submitted("P"))
