"""A home with sets for each act: statements to record, assets to review, parties to onboard, certificates to issue, to
revoke or to erase. It is made once per run and then copied. Each set has four items.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ledger.demo.actors import NOTE
from ledger.demo.data.cast import assemble
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.installation.wiring import Ledger, create_ledger
from ledger.store.sets import portions
from ledger.usage.batches.batches import PER_ITEM
from tests.faults.prepared_homes import settings_of
from tests.support.actors.credit_bureau import SCENARIO
from tests.support.actors.pilots import SUPPLIED, Pilot, resource
from tests.support.actors.withdrawals import signed_withdrawal

MANY: Final = 4
FIRM: Final = "1"
KINDS: Final = ("requests", "authorizations", "provisions", "certificates", "withdrawals")
Items = Sequence[dict[str, Any]]
Given = dict[str, Sequence[Any]]


def prepared_sets(folder: Path, counts: Mapping[str, int]) -> Path:
    """Return a home with ``counts`` sets for each act; the first process creates it in this folder, and the others use
    it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    home = folder / "home"
    with (folder / "making.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            with create_ledger(settings_of(home)) as ledger:
                given = _Making(ledger, counts).sets()
            (home / "given.json").write_text(json.dumps(given), "utf-8")
            (folder / "made").touch()
    return home


class _Making:
    """Prepares the sets. All sets of an act are prepared together."""

    def __init__(self, ledger: Ledger, counts: Mapping[str, int]) -> None:
        now = ledger.clock()
        self.ledger, self.counts, self.pilot = ledger, counts, Pilot(ledger, assemble(ledger, [FIRM]))
        codes = (SCENARIO, REGISTRATION_SCENARIO)
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, codes, now - 86_400, now + 10**8
        )

    def sets(self) -> dict[str, Any]:
        """Return the sets of each act, and the ids of two parties."""
        registered, custody, cast = self._assets(), self.ledger.custody, self.pilot.cast
        keys = list(map(custody.public_key, custody.create(MANY * self.counts["onboard"])))
        given: Given = {
            "register": portions(self._codes("register"), MANY),
            "onboard": portions(list(enumerate(keys)), MANY),
            **registered,
            **self._statements(),
            **self._certified(),
            "batches": self._batches(),
        }
        self.ledger.anchoring.flush()
        return given | {"registrar": cast.registrar, "provider": cast.provider}

    def _codes(self, act: str) -> list[str]:
        return [f"{act}/{number}" for number in range(MANY * self.counts[act])]

    def _assets(self) -> Given:
        pilot, review = self.pilot, self.ledger.registration.review
        registrar, provider = pilot.actor(pilot.cast.registrar), pilot.actor(pilot.cast.provider)
        acts = ("accept", "review", "notice", "confirm", "change")
        assets = {act: pilot.applied(*self._codes(act)) for act in acts}
        pilot.take_through(assets["change"])
        for asset, code in zip(assets["change"], self._codes("change"), strict=True):
            changed = resource(code, title="Changed")
            self.ledger.registration.applications.apply(provider, asset, "change", changed)
        review.accept(registrar, [*assets["review"], *assets["notice"]])
        review.review(registrar, assets["notice"])
        pilot.noticed([*assets["confirm"], *assets["change"]])
        pilot.after_notice([*assets["confirm"], *assets["change"]])
        return {act: portions(found, MANY) for act, found in assets.items()}

    def _statements(self) -> Given:
        consents = self._consents("corrections")
        record(self.ledger, "provisions", self._provisions(consents))
        given = {
            "requests": self._requests("requests"),
            "authorizations": self._authorizations(self._asked("authorizations")),
            "provisions": self._provisions(self._consents("provisions")),
            "corrections": self._provisions(consents),
            "certificates": self._ready("certificates"),
            "anchor": self._ready("anchor"),
        }
        return {act: portions(items, MANY) for act, items in given.items()}

    def _certified(self) -> Given:
        consents = {act: self._consents(act) for act in ("withdrawals", "revoke", "erase")}
        together = [consent for act in consents.values() for consent in act]
        numbers = dict(zip(together, self._issued(together), strict=True))
        given = {act: [numbers[consent] for consent in consents[act]] for act in ("revoke", "erase")}
        withdrawals = portions(self._withdrawals(consents["withdrawals"]), MANY)
        return {act: portions(found, MANY) for act, found in given.items()} | {"withdrawals": withdrawals}

    def _batches(self) -> list[dict[str, Any]]:
        """Take in a batch of each kind, once for each set; the batches wait until an act lets them be handled."""
        consents = self._consents("batches")
        self._issued(consents)
        items = {
            "requests": self._requests("batches"),
            "authorizations": self._authorizations(self._asked("batches")),
            "provisions": self._provisions(self._consents("batches")),
            "certificates": self._ready("batches"),
            "withdrawals": self._withdrawals(consents),
        }
        batches, ids = self.ledger.usage.batches, list[dict[str, Any]]()
        for place in range(self.counts["batches"]):
            own = {kind: items[kind][place * MANY : (place + 1) * MANY] for kind in KINDS}
            ids.append({kind: batches.take_in(self._actor(kind), kind, PER_ITEM, own[kind]) for kind in KINDS})
            for identifier in ids[-1].values():
                batches.change(identifier, stage="arriving")
        return ids

    def _actor(self, kind: str) -> Any:
        cast = self.pilot.cast
        parties = {"requests": cast.bank, "provisions": cast.provider, "certificates": self.ledger.party}
        return self.ledger.actor(parties.get(kind, cast.firms[FIRM]))

    def _issued(self, consents: Sequence[str]) -> list[str]:
        """Issue certificates, so that two certificates of each set are in one batch and two in another."""
        record(self.ledger, "provisions", self._provisions(consents))
        requests = [self.ledger.usage.authorizations.get(consent).request_id for consent in consents]
        halves = portions(requests, MANY // 2)
        numbers = dict[str, str]()
        for some in (halves[::2], halves[1::2]):
            wanted = [request for half in some for request in half]
            numbers |= zip(wanted, record(self.ledger, "certificates", _wanted(wanted)), strict=True)
            self.ledger.anchoring.flush()
        return [numbers[request] for request in requests]

    def _requests(self, act: str) -> Items:
        terms = [self.pilot.actors.request(FIRM) for _ in range(MANY * self.counts[act])]
        drafts = [self.ledger.usage.requests.draft(each, NOTE) for each in terms]
        sign = self.pilot.actors.sign
        return [{"statement": sign(each.entry["consumer"], each.entry), "note": each.note} for each in drafts]

    def _asked(self, act: str) -> list[str]:
        return record(self.ledger, "requests", self._requests(act))

    def _authorizations(self, requests: Sequence[str]) -> Items:
        drafts = [draft for request in requests for draft in self.ledger.usage.authorizations.draft(request)]
        return [{"statements": [self.pilot.actors.sign(each.entry["subject"], each.entry)]} for each in drafts]

    def _consents(self, act: str) -> list[str]:
        return record(self.ledger, "authorizations", self._authorizations(self._asked(act)))

    def _provisions(self, consents: Sequence[str]) -> Items:
        drafts = [self.pilot.actors.draft(consent, SUPPLIED) for consent in consents]
        signed = [replace(each, entry=self.pilot.actors.sign(each.entry["provider"], each.entry)) for each in drafts]
        return [
            {
                "statement": each.entry,
                "disclosures": list(each.disclosures),
                "withdrawal": None if each.withdrawal is None else each.withdrawal.hex(),
                "withdrawn": each.withdrawn,
            }
            for each in signed
        ]

    def _ready(self, act: str) -> Items:
        """Return requests for which certificates can be issued."""
        requests = self._asked(act)
        consents = record(self.ledger, "authorizations", self._authorizations(requests))
        record(self.ledger, "provisions", self._provisions(consents))
        return _wanted(requests)

    def _withdrawals(self, consents: Sequence[str]) -> Items:
        signed = [signed_withdrawal(self.pilot.actors, consent) for consent in consents]
        return [{"statement": each.entry, "act": (each.act or b"").hex()} for each in signed]


def _wanted(requests: Sequence[str]) -> Items:
    return [{"request": request} for request in requests]


def record(ledger: Ledger, kind: str, items: Items) -> list[str]:
    """Record a set of statements, or issue certificates, in the name of the party that must do so; return the ids."""
    act = ledger.usage.batches.kinds[kind]
    party = act.party(items[0]) or ledger.party
    return [identifier for each in act.record(ledger.actor(party), items) for identifier in each]
