"""One party for each role of the role matrix, with its own key and session, and the records on which they act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

import yaml

from ledger.domain.canonical import canonical
from ledger.domain.codes import synthetic_uscc
from ledger.domain.days import DAY, end_of_validity, shanghai_day
from ledger.domain.parties import PartyKind, Role
from ledger.domain.resource import DataResource
from ledger.parties.custody import new_key, signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.parties.newcomers import NewParty
from ledger.proof.acts import sign_act
from ledger.proof.bundle import parse_bundle
from ledger.proof.jws import Signer, sign_entry
from ledger.proof.sdjwt import bind_key
from ledger.proof.suites.suite import ES256K, Suite
from tests.reference.role_matrix import KINDS, ROLE_OF
from tests.support.actors.pilots import SUPPLIED, resource
from tests.support.api.parts import Api
from tests.support.places import SCENARIOS

FIELDS = ["years_covered", "wage_band"]
# A very long validity, in seconds: tests that share the stage move the clock by years, and nothing may expire.
YEARS = 20 * 366 * DAY
# Serial numbers that all stages on one ledger share, so that no two stages register the same asset or onboard the same
# party.
_NEXT, _AWAY = count(), count(9700)


@dataclass(frozen=True, slots=True)
class Consent:
    """An authorization with its provision and certificate, and their positions in the log."""

    subject: str
    consumer: str
    authorization: str
    provision: str
    number: str
    seq: int


class Stage:
    """One party for each column of the role matrix, from ``S`` to ``X``. ``S2``, ``P2`` and ``C2`` are second parties
    with the roles of S, P and C.

    The broker has mandates from P and C, and the chief data officer signs for P. The broker's mandates from P2 and C2,
    and the officer's appointment for P2, have ended.
    """

    def __init__(self, api: Api) -> None:
        self.api, self.pilot, self.ledger = api, api.pilot, api.pilot.ledger
        self._shared: dict[str, Any] = {}
        named = {name: self.pilot.party(kind, ROLE_OF[name]) for name, kind in KINDS.items()}
        named |= {f"{name}2": self.pilot.party(KINDS[name], ROLE_OF[name]) for name in ("S", "P", "C")}
        # Only the operator issues certificates on a platform, so the operator is the party of the issuer's column.
        self.parties = named | {"I": self.ledger.installation.operator}
        self._prepare()
        self.renew()

    def renew(self) -> None:
        """Issue new certificates, because other test files move the clock and the earlier certificates may have
        expired.
        """
        self._shared.clear()
        self.own = self.consented("S", "C", "P")
        self.others = self.consented("S2", "C2", "P2")

    def _prepare(self) -> None:
        ledger, now = self.ledger, self.ledger.clock()
        authority = ledger.actor(self.parties["A"])
        for department in ("P", "P2"):
            ledger.catalogue.publications.appoint(authority, self.parties[department], self.parties["D"])
        ledger.catalogue.publications.appoint(authority, self.parties["P2"], None)
        for principal, valid_to in (("P", now + YEARS), ("C", now + YEARS), ("P2", now), ("C2", now)):
            ledger.parties.mandates.give(
                ledger.actor(self.parties[principal]),
                self.parties[principal],
                self.parties["B"],
                valid_to,
            )
        ledger.parties.role_changes.accredit(ledger.authority, self.parties["T"], ("quality",), now - DAY, now + YEARS)
        fresh = [self.described() for _ in range(3)]
        self.confirmed, self.registered, self.ready = self.pilot.handed_in(*fresh, by=self.parties["P"])
        self.pilot.noticed([self.confirmed, self.registered, self.ready])
        self.pilot.after_notice([self.confirmed, self.registered, self.ready])
        ledger.registration.review.confirm(ledger.actor(self.parties["R"]), [self.confirmed, self.registered])
        self.elsewhere = self.pilot.confirmed()

    def call(self, who: str, method: str, path: str, body: object = None) -> Any:
        """Make a call in a session of the named party; ``U`` calls without a session."""
        headers = {} if who == "U" else self.api.tokens.header(self.parties[who])
        return self.api.client.request(method, path, json=body, headers=headers)

    def post(self, who: str, path: str, body: object = None) -> Any:
        return self.call(who, "POST", path, body)

    def get(self, who: str, path: str) -> Any:
        return self.call(who, "GET", path)

    def done(self, answer: Any) -> Any:
        """Return the answer of a call that prepares a test; fail unless the call succeeded."""
        assert answer.status_code < 300, answer.text
        return answer.json()

    def join(self, name: str, kind: PartyKind, *roles: Role) -> str:
        """Onboard a further party. Tests use ``name`` to make calls as this party."""
        return self._named(name, self.pilot.party(kind, *roles))

    def join_named(self, name: str, column: str) -> str:
        """Onboard a further party with the role of a column of the role matrix. Tests use ``name`` to make calls as
        this party.
        """
        self.join(name, KINDS.get(column, PartyKind.OPERATOR), ROLE_OF[column])
        return name

    def join_person(self, name: str) -> str:
        """Onboard a person with the sample resident ID number of the national standard."""
        key = self.ledger.custody.public_key(*self.ledger.custody.create())
        person = NewParty(PartyKind.PERSON, "Person", "11010519491231002X", "440802", key)
        return self._named(name, self.ledger.parties.onboarding.onboard(self.ledger.authority, [person])[0].id)

    def join_away(self, name: str, suite: Suite = ES256K, role: Role = Role.CONSUMER) -> Signer:
        """Onboard a further party, by default a consumer, and return its signer. Tests use ``name`` to make calls as
        this party. The installation does not keep the party's key.
        """
        signer = signer_of_key(new_key(suite))
        kind = PartyKind.BANK if role is Role.CONSUMER else PartyKind.ENTERPRISE
        # These parties are in a separate district, where no other new party can have the same serial number.
        identifier = synthetic_uscc("440803", next(_AWAY))
        proof = possession_of(self.ledger.reader.chain, signer)
        name_of_it, roles = f"Away {identifier}", frozenset({role})
        party = NewParty(kind, name_of_it, identifier, "440800", signer.public_key, roles, proof)
        self._named(name, self.ledger.parties.onboarding.onboard(self.ledger.authority, [party])[0].id)
        self.api.tokens.elsewhere[self.parties[name]] = signer
        return signer

    def _named(self, name: str, party: str) -> str:
        self.parties[name] = party
        return party

    def signer(self, who: str) -> Signer:
        return self.api.tokens.elsewhere.get(self.parties[who]) or self.pilot.actors.signer_of(self.parties[who])

    def signed(self, who: str, drafted: Any) -> dict[str, Any]:
        """Return the drafted entry, signed with the party's present key."""
        return {"statement": sign_entry(self.done(drafted)["entry"], self.signer(who))}

    def withdrawal(self, who: str, path: str) -> dict[str, Any]:
        """Return the body of a withdrawal: the drafted entry and the message for the chain, both signed."""
        drafted = self.get(who, path)
        act = sign_act(bytes.fromhex(self.done(drafted)["message"]), self.signer(who))
        return self.signed(who, drafted) | {"act": act.hex()}

    def signed_use(self, signer: Signer, use: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """Sign a proposed use. Return the path and the body of the call that submits the signature."""
        signature = sign_act(bytes.fromhex(use["message"]), signer)
        return f"/v1/presentations/{use['presentation']}/use", {"signature": signature.hex()}

    def code(self) -> str:
        return f"matrix/{next(_NEXT)}"

    def described(self, **members: Any) -> DataResource:
        return resource(self.code(), **members)

    # Methods about requests, certificates and uses

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
        """Submit a request signed by its consumer, and return its id."""
        drafted = self.post(consumer, "/v1/requests/draft", self.request(subject, consumer, provider))
        body = self.signed(consumer, drafted) | {"note": drafted.json()["note"]}
        return str(self.done(self.post(consumer, "/v1/requests", body))["id"])

    def statement(self, subject: str = "S", consumer: str = "C", provider: str = "P") -> dict[str, Any]:
        """Return a signed authorization that has not been submitted."""
        request = self.asked(subject, consumer, provider)
        drafted = self.done(self.post(subject, f"/v1/requests/{request}/authorizations/draft", {}))["drafts"]
        return {"statements": [sign_entry(each["entry"], self.signer(subject)) for each in drafted]}

    def authorised(self, subject: str = "S", consumer: str = "C", provider: str = "P") -> str:
        answer = self.post(subject, "/v1/authorizations", self.statement(subject, consumer, provider))
        return str(self.done(answer)["authorizations"][0]["id"])

    def provision(self, authorization: str, provider: str = "P") -> dict[str, Any]:
        """Return a signed provision that has not been submitted. ``provider`` signs it, even if the authorization does
        not name this provider.
        """
        drafted = self.pilot.actors.draft(authorization, SUPPLIED)
        entry = drafted.entry | {"provider": self.parties[provider]}
        return replace(drafted, entry=sign_entry(entry, self.signer(provider))).to_dict()

    def issuing(self, authorization: str) -> dict[str, Any]:
        return {"request": self.ledger.usage.authorizations.get(authorization).request_id}

    def consented(self, subject: str = "S", consumer: str = "C", provider: str = "P") -> Consent:
        """Issue and anchor a certificate of these parties."""
        authorization = self.authorised(subject, consumer, provider)
        supplied = self.done(self.post(provider, "/v1/provisions", self.provision(authorization, provider)))
        accepted = self.done(self.post("I", "/v1/certificates", self.issuing(authorization)))
        self.ledger.anchoring.flush()
        number = accepted["result"]["certificates"][0]
        status = self.ledger.verification.status(number)
        seq = self.ledger.inspection.batch(status["batch"])["first_seq"] + status["index"]
        return Consent(subject, consumer, authorization, supplied["id"], number, seq)

    def held_by(self, office: str) -> tuple[Consent, str]:
        """Let ``office`` (authority or supervisor) place a hold on a new certificate and a hold on the authorization
        behind it. Return the certificate's ``Consent``, and the digest of the authorization.
        """
        consent = self.consented()
        statement = self.ledger.usage.authorizations.get(consent.authorization).digest
        held = {"reason": "investigation"}
        self.done(self.post(office, f"/v1/certificates/{consent.number}/hold", held))
        self.done(self.post(office, "/v1/holds", held | {"statements": [statement]}))
        return consent, statement

    def presented(self, consent: Consent) -> dict[str, Any]:
        """Return the body of a presentation by the subject to the consumer: bundle and nonce."""
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

    # Methods about the catalogue and the registration of assets

    def put(self, who: str, code: str, **members: Any) -> Any:
        return self.post(who, "/v1/catalogue/resources", {"resource": resource(code, **members).to_dict()})

    def submitted(self, who: str = "P") -> str:
        code = self.code()
        self.done(self.put(who, code))
        self.done(self.post(who, "/v1/catalogue/submissions", {"code": code}))
        return code

    def signature(self, code: str) -> dict[str, Any]:
        """Return a publication that the chief data officer signed and that has not been submitted."""
        return self.signed("D", self.post("D", "/v1/catalogue/publications/draft", {"code": code}))

    def signed_resource(self) -> str:
        code = self.submitted()
        self.done(self.post("D", "/v1/catalogue/publications/signature", self.signature(code)))
        return code

    def applied(self) -> str:
        """Return an asset of P whose application is not accepted yet."""
        (asset,) = self.pilot.handed_in(self.described(), by=self.parties["P"])
        return asset

    def scenario(self) -> dict[str, Any]:
        """Return a new scenario: S51 with another wording."""
        definition: dict[str, Any] = yaml.safe_load((SCENARIOS / "S51.yaml").read_text("utf-8"))
        return definition | {"code": "S60", "domain": f"draft {next(_NEXT)}"}

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return the record with this name; ``make`` makes it at the first call. Calls that are refused do not change
        the record, so they can share it.
        """
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def used(self) -> None:
        """Forget the shared records. An allowed call has changed some of them, so they are made again when they are
        needed.
        """
        self._shared.clear()
