"""Who plays in the role matrix: a party of each role with its own key and API key, and records for them to act on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ledger.domain.canonical import canonical
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.domain.parties import PartyKind, Role
from ledger.domain.resource import DataResource
from ledger.proof.bundle import parse_bundle
from ledger.proof.jws import LocalSigner, sign_entry
from ledger.proof.sdjwt import bind_key
from ledger.service.parties import NewParty
from tests.role_table import ROLE_OF
from tests.service.conftest import ROWS, SUPPLIED, resource

if TYPE_CHECKING:
    from tests.api.conftest import Api

KINDS = {
    "S": PartyKind.ENTERPRISE,
    "P": PartyKind.UTILITY,
    "C": PartyKind.BANK,
    "R": PartyKind.REGISTRAR,
    "A": PartyKind.GOV_DEPT,
    "D": PartyKind.PUBLIC_INST,
    "V": PartyKind.SUPERVISOR,
    "T": PartyKind.ASSESSOR,
    "B": PartyKind.BROKER,
    "X": PartyKind.OPERATOR,
}
FIELDS = ["years_covered", "wage_band"]
DAY = 86_400
MONTHS = 180 * DAY
SCENARIOS = Path(__file__).parents[2] / "ledger" / "scenarios"


@dataclass(frozen=True, slots=True)
class Consent:
    """An authorization with what rests on it, and where these stand in the log."""

    subject: str
    consumer: str
    authorization: str
    provision: str
    number: str
    seq: int


class Stage:
    """``S`` … ``X`` are the parties of the columns, ``S2``, ``P2``, ``C2`` others of the same role.

    The broker has mandates of P and C, the chief data officer signs for P; for P2 and C2 they do so no more.
    """

    def __init__(self, api: Api) -> None:
        self.api, self.pilot, self.ledger = api, api.pilot, api.pilot.ledger
        self._next = count()
        self._shared: dict[str, Any] = {}
        named = {name: self.pilot.party(kind, ROLE_OF[name]) for name, kind in KINDS.items()}
        named |= {f"{name}2": self.pilot.party(KINDS[name], ROLE_OF[name]) for name in ("S", "P", "C")}
        # A platform has one issuer: the operator.
        self.parties = named | {"I": self.ledger.installation.operator}
        self._keys = {name: self.ledger.parties.new_api_key(party) for name, party in self.parties.items()}
        self._prepare()
        self.own = self.consented("S", "C", "P")
        self.others = self.consented("S2", "C2", "P2")

    def _prepare(self) -> None:
        ledger, now = self.ledger, self.ledger.clock()
        authority = ledger.parties.actor(self.parties["A"])
        for department in ("P", "P2"):
            ledger.publications.appoint(authority, self.parties[department], self.parties["D"])
        ledger.publications.appoint(authority, self.parties["P2"], None)
        for principal, valid_to in (("P", now + MONTHS), ("C", now + MONTHS), ("P2", now), ("C2", now)):
            ledger.mandates.give(self.parties[principal], self.parties["B"], valid_to)
        ledger.parties.accredit(self.parties["T"], ("quality",), now - DAY, now + MONTHS)
        fresh = [self.described() for _ in range(3)]
        self.confirmed, self.registered, self.ready = self.pilot.handed_in(*fresh, by=self.parties["P"])
        self.pilot.noticed([self.confirmed, self.registered, self.ready])
        self.pilot.after_notice([self.confirmed, self.registered, self.ready])
        ledger.review.confirm(self.parties["R"], [self.confirmed, self.registered])
        self.elsewhere = self.pilot.confirmed()

    def call(self, who: str, method: str, path: str, body: object = None) -> Any:
        """The call with the API key of that party; ``U`` has none."""
        headers = {} if who == "U" else {"Authorization": f"Bearer {self._keys[who]}"}
        return self.api.client.request(method, path, json=body, headers=headers)

    def post(self, who: str, path: str, body: object = None) -> Any:
        return self.call(who, "POST", path, body)

    def get(self, who: str, path: str) -> Any:
        return self.call(who, "GET", path)

    def done(self, answer: Any) -> Any:
        """What a step that only prepares was answered."""
        assert answer.status_code < 300, answer.text
        return answer.json()

    def join(self, name: str, kind: PartyKind, *roles: Role) -> str:
        """Another party, called by that name."""
        return self._named(name, self.pilot.party(kind, *roles))

    def join_person(self, name: str) -> str:
        """A person, with the resident ID of the standard's own example."""
        key = self.ledger.custody.public_key(*self.ledger.custody.create())
        person = NewParty(PartyKind.PERSON, "Person", "11010519491231002X", "440802", key)
        return self._named(name, self.ledger.parties.onboard([person])[0].id)

    def _named(self, name: str, party: str) -> str:
        self.parties[name] = party
        self._keys[name] = self.ledger.parties.new_api_key(party)
        return party

    def signer(self, who: str) -> LocalSigner:
        return self.pilot.bureau.signer_of(self.parties[who])

    def signed(self, who: str, drafted: Any) -> dict[str, Any]:
        """The drafted entry, signed by the party's present key."""
        return {"statement": sign_entry(self.done(drafted)["entry"], self.signer(who))}

    def code(self) -> str:
        return f"matrix/{next(self._next)}"

    def described(self, **members: Any) -> DataResource:
        return resource(self.code(), **members)

    # Certificates

    def request(self, subject: str, consumer: str, provider: str) -> dict[str, Any]:
        now = self.ledger.clock()
        until = end_of_validity(shanghai_day(now) + timedelta(days=29))
        return {
            "scenario": "S51",
            "subject": self.parties[subject],
            "consumer": self.parties[consumer],
            "sources": {"statistics": self.parties[provider]},
            "fields": FIELDS,
            "valid_from": now,
            "valid_to": until,
            "channel": "government_platform",
            "expires_at": until,
            "note": {"contact": "Credit department"},
        }

    def asked(self, subject: str = "S", consumer: str = "C", provider: str = "P") -> str:
        """A request that its consumer has signed and handed in."""
        drafted = self.post(consumer, "/v1/requests/draft", self.request(subject, consumer, provider))
        body = self.signed(consumer, drafted) | {"note": drafted.json()["note"]}
        return str(self.done(self.post(consumer, "/v1/requests", body))["id"])

    def statement(self, subject: str = "S", consumer: str = "C", provider: str = "P") -> dict[str, Any]:
        """A signed authorization that is not handed in yet."""
        request = self.asked(subject, consumer, provider)
        drafted = self.done(self.post(subject, f"/v1/requests/{request}/authorizations/draft", {}))["drafts"]
        return {"statements": [sign_entry(each["entry"], self.signer(subject)) for each in drafted]}

    def authorised(self, subject: str = "S", consumer: str = "C", provider: str = "P") -> str:
        answer = self.post(subject, "/v1/authorizations", self.statement(subject, consumer, provider))
        return str(self.done(answer)["authorizations"][0]["id"])

    def provision(self, authorization: str, provider: str = "P") -> dict[str, Any]:
        """A signed provision that is not handed in yet, with its rows; not every provider would be given the draft."""
        drafted = self.ledger.provisions.draft(authorization, SUPPLIED)
        entry = drafted.entry | {"provider": self.parties[provider]}
        return {"statement": sign_entry(entry, self.signer(provider)), "rows": list(ROWS), "salt": drafted.salt}

    def issuing(self, authorization: str) -> dict[str, Any]:
        return {"request": self.ledger.authorizations.get(authorization).request_id}

    def consented(self, subject: str = "S", consumer: str = "C", provider: str = "P") -> Consent:
        """An anchored certificate of these parties."""
        authorization = self.authorised(subject, consumer, provider)
        supplied = self.done(self.post(provider, "/v1/provisions", self.provision(authorization, provider)))
        accepted = self.done(self.post("I", "/v1/certificates", self.issuing(authorization)))
        self.ledger.anchoring.flush()
        number = accepted["result"]["certificates"][0]
        told = self.ledger.verification.status(number)
        seq = self.ledger.inspection.batch(told["batch"])["first_seq"] + told["index"]
        return Consent(subject, consumer, authorization, supplied["id"], number, seq)

    def presented(self, consent: Consent) -> dict[str, Any]:
        """The bundle as its subject presents it to its consumer, with the nonce."""
        bundle = parse_bundle(
            canonical(self.done(self.get(consent.subject, f"/v1/certificates/{consent.number}/bundle")))
        )
        nonce = self.ledger.verification.new_nonce()
        bound = bind_key(
            bundle.certificate,
            self.signer(consent.subject),
            audience=self.parties[consent.consumer],
            nonce=nonce,
            at=self.ledger.clock(),
        )
        return {"bundle": bundle.with_certificate(bound).to_dict(), "nonce": nonce}

    # Catalogue and registration

    def put(self, who: str, code: str, **members: Any) -> Any:
        return self.post(who, "/v1/catalogue/resources", {"resource": resource(code, **members).to_dict()})

    def submitted(self, who: str = "P") -> str:
        code = self.code()
        self.done(self.put(who, code))
        self.done(self.post(who, "/v1/catalogue/submissions", {"code": code}))
        return code

    def signature(self, code: str) -> dict[str, Any]:
        """The chief data officer's signed publication, not handed in yet."""
        return self.signed("D", self.post("D", "/v1/catalogue/publications/draft", {"code": code}))

    def signed_resource(self) -> str:
        code = self.submitted()
        self.done(self.post("D", "/v1/catalogue/publications/signature", self.signature(code)))
        return code

    def applied(self) -> str:
        """An asset of P whose application nobody took on yet."""
        (asset,) = self.pilot.handed_in(self.described(), by=self.parties["P"])
        return asset

    def scenario(self) -> dict[str, Any]:
        """A scenario nobody drafted before: S51 in another wording."""
        definition: dict[str, Any] = yaml.safe_load((SCENARIOS / "S51.yaml").read_text("utf-8"))
        return definition | {"code": "S60", "domain": f"draft {next(self._next)}"}

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """A record that refused calls can share: it is made again only after a call that was let through."""
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def used(self) -> None:
        """What a call that was let through acted on is not what it was."""
        self._shared.clear()
