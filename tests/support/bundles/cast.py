"""Parties and times of the test bundles, and the default members of the statements in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any

from coincurve import PrivateKey
from eth_utils.crypto import keccak

from ledger.domain.canonical import canonical, digest, parse_json
from ledger.domain.codes import certificate_no
from ledger.domain.days import end_of_validity
from ledger.domain.digests import SHA_256, reference
from ledger.domain.entries import statement_digest
from ledger.errors import InvalidInput
from ledger.proof.bundle import ChainId, Position
from ledger.proof.jws import Es256Signer, LocalSigner, Signer, Sm2Signer, encode_base64url, public_jwk
from ledger.proof.sdjwt import Disclosed, disclosure_digest
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
CHAIN = ChainId(
    1337,
    "0x" + "c0" * 20,
    "0x" + "c2" * 20,
    "0x" + "c3" * 20,
    "0x" + "c1" * 20,
    origin="0a" * 32,
    delay=259_200,
    threshold=2,
)
LEDGER = CHAIN.ledger
CERTIFICATE = Position(2, 4, 5)
FIRST_SEQ = 48
AUTHORIZATION = Position(2, 3, 1)
PROVISIONS = (Position(2, 3, 2), Position(2, 3, 4))
# The position of each evidence entry in the log, in the order of the bundle: the consent to the tax office, both
# provisions, the consent to the power grid, the template, the request.
PLACES = (AUTHORIZATION, *PROVISIONS, Position(2, 3, 3), Position(2, 3, 0), Position(2, 3, 5))
CONSENTS = (PLACES[0], PLACES[3])
ASSET = sha256(b"asset").hexdigest()

Entry = dict[str, Any]
Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Actor:
    """A party with one key. With another ``suite`` it is the same party, but its key belongs to that suite."""

    name: str
    no: int
    suite: str = "ES256K"

    @cached_property
    def id(self) -> str:
        return sha256(f"party {self.name}".encode()).hexdigest()

    @property
    def secret(self) -> bytes:
        """The private key. As a number it is the same in every suite."""
        return sha256(f"key of {self.name}".encode()).digest()

    @cached_property
    def signer(self) -> Signer:
        if self.suite == "SM2SM3":
            return Sm2Signer(self.secret)
        if self.suite == "ES256":
            return Es256Signer(self.secret)
        point = PrivateKey(self.secret).public_key.format(compressed=False)
        return LocalSigner(self.secret, "0x" + keccak(point[1:])[-20:].hex())

    @property
    def account(self) -> str:
        return self.signer.kid


ISSUER = Actor("issuer", 2)
SUBJECT = Actor("enterprise", 3)
TAX = Actor("tax actors", 4)
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
RULES: Mapping[str, tuple[str, Entry]] = {
    "tax_band": ("tax", {"op": "latest", "column": "band", "order": "month", "choices": ["A", "B", "C"]}),
    "tax_trend": ("tax", {"op": "trend", "column": "paid", "order": "month", "flat_percent": 5}),
    "tax_arrears": ("tax", {"op": "score", "column": "arrears", "order": "month", "top": 9}),
    "power_trend": ("power", {"op": "score", "column": "trend", "order": "month", "top": 10}),
}
"""The fields of the scenario, by name: source and rule."""


def named(text: str) -> str:
    """Return the reference by which other entries name this entry. If the text is no entry, return the digest of the
    text.
    """
    try:
        return reference(statement_digest(parse_json(text.encode("utf-8", "replace"), max_bytes=2**20)))
    except (InvalidInput, AttributeError):
        return digest(text.encode("utf-8", "replace"))


def as_text(entry: Changes) -> str:
    return canonical(dict(entry)).decode()


RULE_VERSION = f"{SCENARIO}/1/engine-2"
TERMS = {
    "ledger": LEDGER,
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
    """Return the members of the template; the template allows one field more than the request asks for."""
    return {
        "ledger": LEDGER,
        "scenario": SCENARIO,
        "scenario_version": 1,
        "scenario_digest": digest(SCENARIO.encode()),
        "legal_basis": "consent",
        "payload_mode": "aggregate",
        "channels": ["subject_carried", "government_platform"],
        "max_validity_days": 365,
        "max_uses": 5,
        "retention_days": 30,
        "engine": 2,
        "fields": [{"name": name, "source": source, "rule": rule} for name, (source, rule) in RULES.items()],
    }


def request_members(template: str, algorithm: str = SHA_256) -> Entry:
    return TERMS | {
        "id": "01K5M00000000000000000000R",
        "template": named(template),
        "sd_alg": algorithm,
        "sources": [{"source": "tax", "provider": TAX.id}, {"source": "power", "provider": GRID.id}],
        "fields": list(HIDDEN),
        "note_digest": digest(b"note"),
        "pia_digest": None,
        "expires_at": CONSENTED + 86_400,
        "iat": CONSENTED - 60,
    }


def consent_members(request: str, provider: Actor = TAX) -> Entry:
    fields = next(list(fields) for actor, fields in SUPPLIES if actor.no == provider.no)
    return TERMS | {
        "id": f"01K5M0000000000000000000A{provider.no}",
        "request": named(request),
        "purpose": "A loan for working capital",
        "source": SOURCES[provider.no],
        "provider": provider.id,
        "fields": fields,
        "separate_consent": True,
        "holder_key": public_jwk(DEVICE.signer.public_key).to_dict(),
        "notice_digest": digest(b"notice"),
        "iat": CONSENTED,
    }


def supply_members(
    provider: Actor,
    authorization: str,
    template: str,
    claims: Sequence[Disclosed] | None = None,
    algorithm: str = SHA_256,
) -> Entry:
    """Return the members of a provision. The provider signs ``claims`` (default: its part of ``HIDDEN``)."""
    fields = next(fields for actor, fields in SUPPLIES if actor.no == provider.no)
    own = salted({name: HIDDEN[name] for name in fields}) if claims is None else claims
    return {
        "ledger": LEDGER,
        "id": f"01K5M0000000000000000000P{provider.no}",
        "authorization": named(authorization),
        "source": SOURCES[provider.no],
        "provider": provider.id,
        "template": named(template),
        "engine": 2,
        "sd_alg": algorithm,
        "claims": {item.name: disclosure_digest(item.encoded, algorithm) for item in own},
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
        "ledger": LEDGER,
        "seq": FIRST_SEQ + CERTIFICATE.index,
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
    """Return the members of a usage certificate. ``rests_on`` contains the texts of its evidence entries."""
    same = ("source", "provider", "as_of", "payload_digest")
    fixed = {"payload_mode": "aggregate", "rule_version": RULE_VERSION}
    return common_members(SCENARIO, SUBJECT) | {
        "consumer": BANK.id,
        "providers": [TAX.id, GRID.id],
        "channel": "subject_carried",
        "max_uses": 3,
        "template": named(rests_on["template"][0]),
        "request": named(rests_on["request"][0]),
        "authorizations": [named(text) for text in rests_on["authorizations"]],
        "provisions": [named(text) for text in rests_on["provisions"]],
        "supersedes": None,
        "components": [
            {**fixed, **{name: entry[name] for name in same}, "fields": sorted(entry["claims"])} for entry in supplies
        ],
        "fields": list(hidden),
        "cnf": {"jwk": public_jwk(DEVICE.signer.public_key).to_dict()},
    }


def salted(claims: Changes) -> tuple[Disclosed, ...]:
    salts = {name: encode_base64url(sha256(f"salt of {name}".encode()).digest()[:16]) for name in claims}
    return tuple(Disclosed(salts[name], name, value) for name, value in claims.items())
