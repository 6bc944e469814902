"""A provider, a bank and two firms with their own keys, and the task that an honest platform makes for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.accounts import account_of
from ledger.connectors.answers import Answer, Query, Supplied
from ledger.domain.days import end_of_validity
from ledger.domain.digests import reference
from ledger.domain.entries import authorization_entry, request_entry, statement_digest, template_entry
from ledger.domain.parties import PartyKind
from ledger.domain.rules.predicates import ENGINE
from ledger.errors import PingzhengError
from ledger.proof.bundle import ChainId
from ledger.proof.jws import Es256Signer, LocalSigner, Signer, Sm2Signer, public_jwk, sign_entry
from ledger.provider.answer_store import AnswerStore
from ledger.provider.provider import Provider
from ledger.provider.task import Opening, Task

# 2026-11-20 12:00:00 in Shanghai
AT = 1_795_147_200
AS_OF = date(2026, 10, 31)
CHAIN = ChainId(
    1337, "0x" + "c0" * 20, "0x" + "c2" * 20, "0x" + "c3" * 20, "0x" + "c1" * 20, origin="0a" * 32, delay=0, threshold=1
)
CHOICES = ["yes", "no"]
RULES: dict[str, dict[str, Any]] = {
    "subject_name": {"op": "attribute", "of": "name"},
    "subject_uscc": {"op": "attribute", "of": "uscc"},
    "months_covered": {"op": "periods", "order": "month", "unit": "month", "last": 12},
    "on_time_percent": {
        "op": "share_percent",
        "column": "on_time",
        "order": "month",
        "unit": "month",
        "last": 12,
        "choices": CHOICES,
        "wanted": ["yes"],
    },
}
FIRM, OTHER_FIRM = "91440802MA9X00011Y", "91440803MA9X0002X5"
NAME = "湛江示例金属制品有限公司"
# These rows say that no bill was paid on time. A lying platform would like to change this.
ROWS = ({"month": "202609", "on_time": "no"}, {"month": "202610", "on_time": "no"})
CLAIMS = {"subject_name": NAME, "subject_uscc": FIRM, "months_covered": 2, "on_time_percent": 0}


def ulid(number: int) -> str:
    return f"01K{number:023d}"


def signer_of(name: str, suite: str = "ES256K") -> Signer:
    secret = sha256(f"key of {name}".encode()).digest()
    makers: dict[str, Callable[[], Signer]] = {
        "ES256K": lambda: LocalSigner(secret, account_of(secret)),
        "ES256": lambda: Es256Signer(secret),
    }
    return makers.get(suite, lambda: Sm2Signer(secret))()


@dataclass(frozen=True)
class Subject:
    """A firm: its number, the secret from which its party id is computed, and its signing key."""

    identifier: str
    id_key: str = "07" * 32
    kind: PartyKind = PartyKind.ENTERPRISE

    @property
    def opening(self) -> Opening:
        return Opening(self.kind, self.identifier, self.id_key)

    @property
    def id(self) -> str:
        return self.opening.party

    @property
    def signer(self) -> Signer:
        return signer_of(f"{self.identifier} {self.id_key}")


FIRST, SECOND = Subject(FIRM), Subject(OTHER_FIRM, "08" * 32)
BANK, GRID, OTHER_GRID = (sha256(name.encode()).hexdigest() for name in ("bank", "grid", "other grid"))


@dataclass(frozen=True)
class Stage:
    """Makes a request, its consent and the task. ``changes`` gives, for a type of entry, the members that are changed
    before the entry is signed.
    """

    subject: Subject = FIRST
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: RULES)
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    number: int = 1
    consumer: Signer = field(default_factory=lambda: signer_of("bank"))

    @cached_property
    def template(self) -> dict[str, Any]:
        members: dict[str, Any] = {
            "ledger": CHAIN.ledger,
            "scenario": "S01",
            "scenario_version": 1,
            "scenario_digest": "sha-256:" + "5c" * 32,
            "legal_basis": "consent",
            "payload_mode": "raw",
            "channels": ["government_platform"],
            "max_validity_days": 90,
            "max_uses": 2,
            "retention_days": 30,
            "engine": ENGINE,
            "fields": [
                {"name": name, "source": "electricity", "rule": dict(rule)} for name, rule in self.rules.items()
            ],
        }
        return template_entry(**{**members, **self.changes.get("template", {})})

    @cached_property
    def request(self) -> dict[str, Any]:
        members: dict[str, Any] = {
            "ledger": CHAIN.ledger,
            "id": ulid(self.number),
            "template": reference(statement_digest(self.template)),
            "scenario": "S01",
            "scenario_version": 1,
            "subject": self.subject.id,
            "consumer": BANK,
            "sources": [{"source": "electricity", "provider": GRID}],
            "fields": list(self.rules),
            "channel": "government_platform",
            "valid_from": AT - 86_400,
            "valid_to": end_of_validity(date(2026, 12, 31)),
            "max_uses": 1,
            "sd_alg": "sha-256",
            "note_digest": "sha-256:" + "1d" * 32,
            "pia_digest": None,
            "expires_at": AT + 86_400,
            "iat": AT - 86_400,
        }
        return sign_entry(request_entry(**{**members, **self.changes.get("request", {})}), self.consumer)

    @cached_property
    def authorization(self) -> dict[str, Any]:
        asked = self.request
        repeated = ("scenario", "scenario_version", "subject", "consumer", "fields", "channel", "valid_from")
        members: dict[str, Any] = {
            **{name: asked[name] for name in (*repeated, "valid_to", "max_uses")},
            "ledger": CHAIN.ledger,
            "id": ulid(1_000 + self.number),
            "request": reference(statement_digest(asked)),
            "purpose": "用电征信",
            "source": "electricity",
            "provider": GRID,
            "separate_consent": False,
            "holder_key": public_jwk(self.subject.signer.public_key).to_dict(),
            "notice_digest": "sha-256:" + "2d" * 32,
            "iat": AT - 3_600,
        }
        return sign_entry(
            authorization_entry(**{**members, **self.changes.get("authorization", {})}), self.subject.signer
        )

    def task(self, **changes: Any) -> Task:
        """Return the task of an honest platform, with the members in ``changes`` replaced."""
        signers = (self.consumer, self.subject.signer)
        members: dict[str, Any] = {
            "chain": CHAIN,
            "template": self.template,
            "request": self.request,
            "authorization": self.authorization,
            "keys": {signer.kid: public_jwk(signer.public_key) for signer in signers},
            "opening": self.subject.opening,
            "corrects": None,
        }
        return Task(**members | changes)


@dataclass
class Source:
    """A provider's source that returns the same rows for every subject, and remembers the queries."""

    rows: Sequence[Mapping[str, str]] = ROWS
    name: str | None = NAME
    asked: list[Query] = field(default_factory=list)

    def ask(self, query: Query) -> Answer:
        self.asked.append(query)
        return Supplied(tuple(self.rows), AS_OF, query.at, self.name if query.name else None)


def supplied(rows: Sequence[Mapping[str, str]] = ROWS, name: str | None = NAME) -> Supplied:
    return Supplied(tuple(rows), AS_OF, AT, name)


def provider_at(folder: Path, **changes: Any) -> Provider:
    """Return a provider that acts for the grid company, with its records in the folder."""
    members: dict[str, Any] = {
        "party": GRID,
        "signer": signer_of("grid"),
        "answers": AnswerStore(folder / "records"),
        "clock": lambda: AT,
    }
    return Provider(**members | changes)


TRUE_ID, FALSE_ID = Subject(FIRM, "07" * 32), Subject(FIRM, "09" * 32)


def every_byte_in(folder: Path) -> bytes:
    """Return the bytes of all files in the folder of the provider's records."""
    return b"\n".join(path.read_bytes() for path in sorted((folder / "records").iterdir()))


def refused(provider: Provider, subject: Subject, number: int) -> PingzhengError:
    source = Source()
    with pytest.raises(PingzhengError) as caught:
        provider.answer(Stage(subject, number=number).task(), source)
    assert source.asked == [], "no row was read"
    return caught.value
