"""Who takes part in the bundles of these tests, when, and what they sign before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any

from coincurve import PrivateKey
from eth_utils.crypto import keccak

from ledger.domain.canonical import canonical, digest
from ledger.domain.codes import certificate_no
from ledger.domain.days import end_of_validity
from ledger.proof.bundle import ChainId, Position
from ledger.proof.jws import LocalSigner, Sm2Signer, encode_base64url, public_jwk
from ledger.proof.merkle import leaf_hash
from ledger.proof.sdjwt import Disclosed
from ledger.proof.verifier import Expectation

CONSENTED = 1_790_000_000
SUPPLIED_AT = CONSENTED + 600
EVIDENCE_ANCHORED = CONSENTED + 900
ISSUED = CONSENTED + 3_600
ANCHORED = ISSUED + 60
AT = ISSUED + 86_400
BLOCK_TIME = AT + 30
EXPIRES = end_of_validity(date(2026, 12, 31))
NONCE = "n-0S6_WzA2Mj"
SCENARIO = "S51"
CHAIN = ChainId(1337, "0x" + "c1" * 20, "0x" + "c2" * 20, "0x" + "c3" * 20)
CERTIFICATE = Position(4, 5)
AUTHORIZATION = Position(3, 1)
PROVISIONS = (Position(3, 2), Position(3, 4))
# In the order in which the evidence stands in the bundle: the tax bureau's consent and both provisions come first.
PLACES = (AUTHORIZATION, *PROVISIONS, Position(3, 3), Position(3, 0), Position(3, 5))
CONSENTS = (PLACES[0], PLACES[3])
ASSET = sha256(b"asset").hexdigest()

Entry = dict[str, Any]
Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Actor:
    """A party with one key; with ``sm2`` it is the same party with its SM2 key."""

    name: str
    no: int
    sm2: bool = False

    @cached_property
    def id(self) -> str:
        return sha256(f"party {self.name}".encode()).hexdigest()

    @cached_property
    def signer(self) -> LocalSigner | Sm2Signer:
        secret = sha256(f"key of {self.name}".encode()).digest()
        if self.sm2:
            return Sm2Signer(secret)
        point = PrivateKey(secret).public_key.format(compressed=False)
        return LocalSigner(secret, "0x" + keccak(point[1:])[-20:].hex())

    @property
    def account(self) -> str:
        return self.signer.kid


ISSUER = Actor("issuer", 2)
SUBJECT = Actor("enterprise", 3)
TAX = Actor("tax bureau", 4)
GRID = Actor("power grid", 5)
BANK = Actor("bank", 6)
OTHER_BANK = Actor("other bank", 7)
OTHER_ISSUER = Actor("other issuer", 8)
DEVICE = Actor("the subject's wallet", 0)
PARTIES = (ISSUER, SUBJECT, TAX, GRID, BANK, OTHER_BANK, OTHER_ISSUER)
EXPECT = Expectation(consumer=BANK.id, nonce=NONCE)
HIDDEN = {"tax_band": "B", "tax_trend": "rising", "power_trend": 3}
SOURCES = {TAX.no: "tax", GRID.no: "power"}
SUPPLIES = ((TAX, ["tax_band", "tax_trend"]), (GRID, ["power_trend"]))


def leaf(text: str) -> str:
    return f"sha-256:{leaf_hash(text.encode()).hex()}"


def as_text(entry: Changes) -> str:
    return canonical(dict(entry)).decode()


RULE_VERSION = f"{SCENARIO}/1/engine-2"
TERMS = {
    "scenario": SCENARIO,
    "scenario_version": 1,
    "subject": SUBJECT.id,
    "consumer": BANK.id,
    "channel": "subject_carried",
    "valid_from": CONSENTED,
    "valid_to": EXPIRES,
    "max_uses": 3,
}


def template_members() -> Entry:
    """What the scenario allows: one field more than anyone asks for."""
    sources = {"tax_band": "tax", "tax_trend": "tax", "tax_arrears": "tax", "power_trend": "power"}
    return {
        "scenario": SCENARIO,
        "scenario_version": 1,
        "scenario_digest": digest(SCENARIO.encode()),
        "legal_basis": "consent",
        "payload_mode": "predicate",
        "channels": ["subject_carried", "government_platform"],
        "max_validity_days": 365,
        "max_uses": 5,
        "retention_days": 30,
        "engine": 2,
        "fields": [
            {"name": name, "source": source, "rule": {"op": "equals", "column": name}}
            for name, source in sources.items()
        ],
    }


def request_members(template: str) -> Entry:
    return TERMS | {
        "id": "01K5M00000000000000000000R",
        "template": leaf(template),
        "sources": [{"source": "tax", "provider": TAX.id}, {"source": "power", "provider": GRID.id}],
        "fields": list(HIDDEN),
        "note_digest": digest(b"note"),
        "pia_digest": None,
        "expires_at": CONSENTED + 86_400,
        "iat": CONSENTED - 60,
    }


def consent_members(request: str, provider: Actor = TAX) -> Entry:
    fields = next(list(fields) for actor, fields in SUPPLIES if actor is provider)
    return TERMS | {
        "id": f"01K5M0000000000000000000A{provider.no}",
        "request": leaf(request),
        "purpose": "A loan for working capital",
        "source": SOURCES[provider.no],
        "provider": provider.id,
        "fields": fields,
        "separate_consent": True,
        "holder_key": public_jwk(DEVICE.signer.public_key).to_dict(),
        "notice_digest": digest(b"notice"),
        "iat": CONSENTED,
    }


def supply_members(provider: Actor, fields: Sequence[str], authorization: str) -> Entry:
    return {
        "id": f"01K5M0000000000000000000P{provider.no}",
        "authorization": leaf(authorization),
        "source": SOURCES[provider.no],
        "provider": provider.id,
        "fields": list(fields),
        "queried_at": SUPPLIED_AT,
        "as_of": "2026-08-31",
        "result": "supplied",
        "reason": None,
        "payload_digest": digest(provider.name.encode()),
        "corrects": None,
        "iat": SUPPLIED_AT,
    }


def common_members(scenario: str, subject: Actor) -> Entry:
    return {
        "certificate_no": certificate_no("440802", 2026, scenario, 123),
        "iss": ISSUER.id,
        "sub": subject.id,
        "scenario": scenario,
        "scenario_version": 1,
        "scenario_digest": digest(scenario.encode()),
        "purpose": "A loan for working capital",
        "iat": ISSUED,
        "nbf": ISSUED,
        "exp": EXPIRES,
        "rights_duties": {"subject": ["may_withdraw"], "provider": ["true_data"], "consumer": ["purpose_only"]},
        "grade": "general_2",
    }


def usage_members(rests_on: Mapping[str, Sequence[str]], supplies: Sequence[Entry], hidden: Changes) -> Entry:
    """``rests_on``: the texts of template, request, authorizations and provisions."""
    told = ("source", "provider", "fields", "as_of", "payload_digest")
    fixed = {"payload_mode": "predicate", "rule_version": RULE_VERSION}
    return common_members(SCENARIO, SUBJECT) | {
        "consumer": BANK.id,
        "providers": [TAX.id, GRID.id],
        "channel": "subject_carried",
        "max_uses": 3,
        "template": leaf(rests_on["template"][0]),
        "request": leaf(rests_on["request"][0]),
        "authorizations": [leaf(text) for text in rests_on["authorizations"]],
        "provisions": [leaf(text) for text in rests_on["provisions"]],
        "supersedes": None,
        "components": [{**fixed, **{name: entry[name] for name in told}} for entry in supplies],
        "fields": list(hidden),
        "cnf": {"jwk": public_jwk(DEVICE.signer.public_key).to_dict()},
    }


def salted(claims: Changes) -> tuple[Disclosed, ...]:
    salts = {name: encode_base64url(sha256(f"salt of {name}".encode()).digest()[:16]) for name in claims}
    return tuple(Disclosed(salts[name], name, value) for name, value in claims.items())
