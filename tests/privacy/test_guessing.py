"""After an erasure, not even an insider who tries every ID number of a district can find the person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import pytest

from ledger.connectors.answers import Supplied
from ledger.demo.data.cast import assemble
from ledger.domain.canonical import canonical
from ledger.domain.codes import check_resident_id, check_uscc, synthetic_resident_id, synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from ledger.log.idempotency import Answer
from ledger.parties.newcomers import NewParty
from ledger.parties.roles import Actor
from ledger.proof.sdjwt import Disclosed
from tests.privacy.insider import PLACE, Insider, Sent
from tests.support.actors.credit_bureau import AS_OF
from tests.support.actors.persons import CONTRIBUTIONS, PersonActors
from tests.support.actors.pilots import ROWS, Pilot

REGION = "440825"
IDENTIFIER = "subject_uscc"
# The guesses: all ID numbers of twenty birthdays in the district (1,000 a day), and the USCCs of a county's firms.
PERSONS = [synthetic_resident_id(serial) for serial in range(20_000)]
FIRMS = [synthetic_uscc(REGION, serial) for serial in range(5_000)]


@dataclass(frozen=True)
class Certified:
    """A party of the district with its certificate. The insider knows everything about the party except its ID number.

    ``rows`` are the provider's rows about the party; the provider never sends them.
    """

    party: str
    kind: PartyKind
    number: str
    certificate: str
    rows: list[dict[str, str]]
    sent: Sent


class District:
    """A separate ledger, in which persons and firms of one district have certificates."""

    def __init__(self, persons: PersonActors) -> None:
        self.persons, self.ledger = persons, persons.ledger
        persons.departments["statistics"] = persons.statistics
        self._names = count(1)

    def certified(self, kind: PartyKind, number: str) -> Certified:
        (account,) = self.ledger.custody.create()
        key, name = self.ledger.custody.public_key(account), f"徐闻某方{next(self._names)}"
        (row,) = self.ledger.parties.onboarding.onboard(
            self.ledger.authority, [NewParty(kind, name, number, REGION, key)]
        )
        person = kind is PartyKind.PERSON
        request, given = self.persons.authorised(row.id, "S02" if person else "S51")
        (consent,) = given.values()
        answer = CONTRIBUTIONS if person else ROWS
        sent = self._supply(consent.id, consent.provider, _numbered(answer, number))
        (issued,) = self.persons.certify([request])
        self.ledger.anchoring.flush()
        return Certified(row.id, kind, number, issued.certificate_no, _numbered(answer, PLACE), sent)

    def _supply(self, consent: str, provider: str, rows: Sequence[dict[str, str]]) -> Sent:
        """Submit a provision as an HTTP call with an ``Idempotency-Key`` would, and return what the call sent."""
        drafted = self.persons.draft(consent, Supplied(tuple(rows), AS_OF, self.ledger.clock()))
        signed = replace(drafted, entry=self.persons.sign(provider, drafted.entry))

        def supply() -> Answer:
            (row,) = self.ledger.usage.provisions.submit([signed])
            return Answer(201, {"id": row.id})

        body = {"statement": signed.entry, "disclosures": list(signed.disclosures)}
        self.ledger.idempotency.once(provider, f"key-{consent}", canonical(body), supply)
        claims = {item.name: item for item in map(Disclosed.decode, signed.disclosures)}
        about = claims.get(IDENTIFIER)
        if about is None:
            return Sent(body, ("", ""))
        hidden = [PLACE if each == about.encoded else each for each in signed.disclosures]
        return Sent({**body, "disclosures": hidden}, (about.salt, about.name))

    def insider(self) -> Insider:
        return Insider(self.ledger.settings.home)


def _numbered(rows: Sequence[dict[str, str]], number: str) -> list[dict[str, str]]:
    """Return a department's rows about the party; they contain the party's number."""
    return [{**row, "number": number if place == 0 else ""} for place, row in enumerate(rows)]


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    with create_ledger(Settings(home=tmp_path_factory.mktemp("district"))) as ledger:
        cast = assemble(ledger, [])
        now = ledger.clock()
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, ("S51",), now - 86_400, now + 10**9
        )
        yield District(PersonActors(Pilot(ledger, cast)))


# The ways in which the insider can find a number before the erasure. There is no way through the provider's rows,
# because the ledger never receives rows. A claim may contain a firm's number, but never a person's number.
WAYS = {
    PartyKind.PERSON: {"lookup", "party id"},
    PartyKind.ENTERPRISE: {"lookup", "party id", "request", "claim"},
}


@pytest.mark.parametrize(
    ("kind", "everyone", "erased", "spared"),
    [(PartyKind.PERSON, PERSONS, 12_345, 19_999), (PartyKind.ENTERPRISE, FIRMS, 2_345, 7)],
)
def test_no_id_number_can_be_guessed_after_an_erasure(
    district: District, kind: PartyKind, everyone: Sequence[str], erased: int, spared: int
) -> None:
    """Before the erasure, the same attack finds the number in each way listed in ``WAYS``, and reads the number and the
    name.
    """
    victim, neighbour = (district.certified(kind, everyone[serial]) for serial in (erased, spared))
    name = district.ledger.parties.register.identity(victim.party)["name"]

    before = district.insider()
    found = before.confirmed(everyone, before.constructions(kind.value, victim.rows, victim.sent))
    assert found[victim.number] == WAYS[kind]
    assert before.reads(victim.number) and before.reads(name)
    # The attack tries only the HTTP request about the victim (``victim.sent``), so it does not find the neighbour's
    # number by ``request``.
    assert found[neighbour.number] == WAYS[kind] - {"request"}

    subject = Actor(victim.party, frozenset({Role.SUBJECT}))
    answer = district.ledger.erasure.party(subject, victim.party, "subject_request")
    assert (answer.certificates, district.ledger.erasure.scrub(answer)) == ((victim.certificate,), True)
    district.ledger.anchoring.flush()

    after = district.insider()
    found = after.confirmed(everyone, after.constructions(kind.value, victim.rows, victim.sent))
    assert victim.number not in found
    assert not after.reads(victim.number) and not after.reads(name)
    assert found[neighbour.number] == WAYS[kind] - {"request"}
    assert (
        after.confirmed(everyone, after.constructions(kind.value, neighbour.rows, neighbour.sent))[neighbour.number]
        == WAYS[kind]
    )


def test_no_claim_can_be_guessed_after_an_erasure(district: District) -> None:
    """The attack tries every value that the claim can have. Before the erasure, exactly one value matches."""
    possible: dict[str, Sequence[object]] = {"months_paid": range(601), "paid_6_running": (True, False)}
    others = district.insider().claims(possible)
    victim = district.certified(PartyKind.PERSON, PERSONS[500])
    found = district.insider().claims(possible)
    assert sorted(found, key=str) == sorted([*others, ("months_paid", 10), ("paid_6_running", True)], key=str)
    subject = Actor(victim.party, frozenset({Role.SUBJECT}))
    district.ledger.erasure.certificate(subject, victim.certificate, "subject_request")
    assert sorted(district.insider().claims(possible), key=str) == sorted(others, key=str)


def test_the_guessed_numbers_are_valid_id_numbers() -> None:
    assert len({check_resident_id(number) for number in PERSONS}) == len(PERSONS)
    assert len({check_uscc(number) for number in FIRMS}) == len(FIRMS)
