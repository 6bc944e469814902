"""Actors that publish a department's catalogue (provider, chief data officer, authority), each with its own key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ledger.catalogue.data_list import CatalogueEntry
from ledger.demo.data.cast import Cast
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.domain.resource import DataResource, ResourceField
from ledger.errors import PingzhengError
from ledger.installation.wiring import Ledger
from ledger.parties.newcomers import NewParty
from ledger.parties.roles import Actor
from ledger.proof.jws import sign_entry


def resource(code: str, **members: Any) -> DataResource:
    """Return a valid resource with two fields."""
    described: dict[str, Any] = {
        "code": code,
        "title": f"企业用电 {code}",
        "package": "power",
        "rows": 12,
        "columns": 2,
        "fields": (ResourceField("month", "date"), ResourceField("kwh", "decimal")),
        "content_digest": f"sha-256:{hashlib.sha256(code.encode()).hexdigest()}",
    }
    return DataResource(**described | members)


def refusal(act: Callable[[], object]) -> PingzhengError:
    """Require that ``act`` is refused, and return the error."""
    with pytest.raises(PingzhengError) as caught:
        act()
    return caught.value


@dataclass(frozen=True, slots=True)
class Department:
    """The actors who publish a department's data, and the steps of a publication."""

    ledger: Ledger
    provider: Actor
    cdo: Actor
    authority: Actor
    consumer: Actor
    stranger: Actor

    def put(self, code: str, **members: Any) -> DataResource:
        """Record a new version of the provider's resource."""
        item = resource(code, **members)
        self.ledger.catalogue.data.put(self.provider, item)
        return item

    def signed(self, code: str) -> dict[str, Any]:
        """Return the publication of the resource's newest version, signed by the chief data officer."""
        account = self.ledger.parties.register.get(self.cdo.party).account
        drafted = self.ledger.catalogue.publications.draft(self.cdo, code)
        return sign_entry(drafted, self.ledger.custody.signer(account))

    def publish(self, code: str, **members: Any) -> CatalogueEntry:
        """Record, submit, sign and publish a resource."""
        self.put(code, **members)
        self.ledger.catalogue.data.submit(self.provider, code)
        self.ledger.catalogue.publications.sign(self.cdo, self.signed(code))
        return self.ledger.catalogue.publications.publish(self.provider, code)

    def state(self, code: str) -> str:
        """Return the state of the resource."""
        return str(self.ledger.catalogue.data.get(code)["state"])


def department(ledger: Ledger, cast: Cast) -> Department:
    """The provider of the pilot, with an appointed chief data officer."""
    (account,) = ledger.custody.create()
    key = ledger.custody.public_key(account)
    officer = NewParty(
        PartyKind.PUBLIC_INST,
        "首席数据官（演示） CDO",
        synthetic_uscc("440800", 9200),
        "440800",
        key,
        frozenset({Role.CDO}),
    )
    (cdo,) = ledger.parties.onboarding.onboard(ledger.authority, [officer])
    authority = Actor(ledger.installation.authority_party, frozenset({Role.AUTHORITY, Role.ADMIN}))
    ledger.catalogue.publications.appoint(authority, cast.provider, cdo.id)
    return Department(
        ledger=ledger,
        provider=Actor(cast.provider, frozenset({Role.PROVIDER})),
        cdo=Actor(cdo.id, frozenset({Role.CDO})),
        authority=authority,
        consumer=Actor(cast.bank, frozenset({Role.CONSUMER})),
        stranger=Actor(cast.other_bank, frozenset({Role.PROVIDER})),
    )
