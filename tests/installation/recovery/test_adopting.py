"""Entries come back from holders: each checked against its root on the chain, and nothing that was not anchored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from ledger.certificates.tables import Certificate
from ledger.domain.canonical import canonical
from ledger.domain.parties import PartyKind, Role
from ledger.errors import BadBundle, Conflict, Incoherent, InvalidInput, NotFound, PingzhengError
from ledger.installation.recovery.adopting import Adopting, lost_batches
from ledger.installation.recovery.archiving import ERASURES
from ledger.installation.recovery.backup import back_up
from ledger.installation.recovery.reclosing import ClosedTexts
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.settings import Settings
from ledger.log.coherence import Coherence
from ledger.log.tables import AdoptedEntry
from ledger.parties.custody import Custody
from ledger.parties.roles import Actor
from ledger.parties.tables import Party
from ledger.privacy.erasures_file import ErasedText, ErasuresFile
from ledger.proof.bundle import Bundle, parse_bundle
from ledger.proof.presenting import disclosing
from ledger.store.tables import Batch, Entry
from ledger.usage.tables import AccessRequest, Authorization, Provision
from tests.support.actors.credit_bureau import FIELDS
from tests.support.actors.pilots import Pilot
from tests.support.actors.withdrawals import withdraw
from tests.support.ledgers.small_ledger import copied, founded, reopened, settings_of, valid


@dataclass
class Lost:
    """A ledger whose newest batches are lost, and the bundles that holders have."""

    pilot: Pilot
    bundles: dict[str, bytes]
    numbers: list[str]
    newcomer: str
    withdrawn: str
    erased: str

    @property
    def adopting(self) -> Adopting:
        ledger = self.pilot.ledger
        return Adopting(
            ledger.database,
            ledger.sealer,
            ledger.reader,
            ledger.scenarios,
            ledger.installation.issuer,
            ledger.archiving.erased(),
        )

    def lost(self) -> list[int]:
        with self.pilot.ledger.database.read() as session:
            return [row.number for row in lost_batches(session)]


def texts(pilot: Pilot) -> ClosedTexts:
    ledger = pilot.ledger
    return ClosedTexts(ledger.database, ledger.reader.chain.ledger, ledger.archiving)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings, dict[str, Any]]:
    """Eight certificates after the backup, two batches each; one of a firm that was onboarded after it."""
    folder = tmp_path_factory.mktemp("origin")
    settings = settings_of(folder, erasures=folder / ERASURES)
    with founded(settings) as pilot:
        ledger = pilot.ledger
        pilot.certificate(pilot.firm())
        answered = pilot.authorise(twice := pilot.firm())
        pilot.supply(twice, answered)
        back_up(settings, folder / "backup", folder / "keys")
        (issued,) = pilot.bureau.issue({twice: answered}).values()
        ledger.anchoring.flush()
        numbers = [pilot.certificate(pilot.firm()) for _ in range(6)]
        firms = {number: ledger.holdings.get(number).subject for number in numbers}
        newcomer = pilot.certificate(joined(pilot))
        held = [*numbers, newcomer, issued]
        bundles = {number: ledger.bundles.build(number).to_bytes() for number in held}
        withdrawn, erased = numbers[4], numbers[5]
        with ledger.database.read() as session:
            request = session.get_one(Certificate, withdrawn).request_id
            consent = session.scalars(select(Authorization.id).where(Authorization.request_id == request)).one()
        withdraw(pilot.bureau, consent)
        subject = Actor(firms[erased], frozenset({Role.SUBJECT}))
        ledger.erasure.certificate(subject, erased, "subject_request")
        ledger.status.revoke(numbers[3], "data_error")
        ledger.anchoring.flush()
        told = {
            "bundles": bundles,
            "numbers": numbers,
            "newcomer": newcomer,
            "withdrawn": withdrawn,
            "erased": erased,
            "issued": (twice, answered, issued),
            "pilot": pilot,
        }
    return folder, settings, told


def joined(pilot: Pilot) -> str:
    """A firm that comes after the backup, by a number that the bureau knows it by."""
    firm = f"new-{pilot.firm()}"
    pilot.bureau.cast.firms[firm] = pilot.party(PartyKind.ENTERPRISE)
    return firm


@pytest.fixture
def lost(origin: tuple[Path, Settings, dict[str, Any]], tmp_path: Path) -> Iterator[Lost]:
    folder, settings, told = origin
    home = settings.model_copy(update={"home": tmp_path / "home", "erasures": None})
    chain = folder / "home" / "chain"
    restore(home, Sources(folder / "backup", folder / "keys", chain=chain, erasures=settings.erasures))
    with reopened(home, told["pilot"]) as pilot:
        texts(pilot).confirm(None)
        yield Lost(pilot, told["bundles"], told["numbers"], told["newcomer"], told["withdrawn"], told["erased"])


def entries_in(lost: Lost) -> int:
    with lost.pilot.ledger.database.read() as session:
        return session.scalar(select(func.count()).select_from(Entry)) or 0


def test_a_certificate_comes_back_with_status_bundle_and_verification(lost: Lost) -> None:
    ledger, number = lost.pilot.ledger, lost.numbers[0]
    with pytest.raises(NotFound, match="CERTIFICATE_UNKNOWN"):
        ledger.verification.status(number)
    told = lost.adopting.adopt(lost.bundles[number])
    # Its template came with the backup.
    assert told.certificate_no == number and told.entries == 4 and sorted(told.claims) == sorted(FIELDS)
    assert told.parties == []
    assert ledger.verification.status(number)["state"] == "active"
    assert ledger.verification.public_status(number)["state"] == "active"
    again = ledger.bundles.build(number)
    assert again == replace(parse_bundle(lost.bundles[number]), status=again.status)
    assert valid(lost.pilot, again.to_bytes())
    with ledger.database.read() as session:
        row = session.get_one(Certificate, number)
        seq = session.scalars(select(Entry.seq).where(Entry.digest == row.digest)).one()
    proof = ledger.inspection.proof(seq)
    assert proof["proof"] == [node.hex() for node in parse_bundle(lost.bundles[number]).proof]
    assert ledger.holdings.get(number).subject == row.subject


def test_what_was_taken_back_twice_is_there_once(lost: Lost) -> None:
    first = lost.adopting.adopt(lost.bundles[lost.numbers[0]])
    before = entries_in(lost)
    again = lost.adopting.adopt(lost.bundles[lost.numbers[0]])
    assert (first.entries, again.entries, again.claims) == (4, 0, []) and entries_in(lost) == before


def test_a_batch_of_which_everything_is_back_is_one_like_any_other(lost: Lost) -> None:
    ledger, before = lost.pilot.ledger, lost.lost()
    completed = sum(lost.adopting.adopt(raw).completed for raw in lost.bundles.values())
    after = lost.lost()
    assert completed >= 6 and len(before) - len(after) == completed
    with ledger.database.read() as session:
        kept = {seq for (seq,) in session.execute(select(AdoptedEntry.seq))}
        lost_now = {seq for row in lost_batches(session) for seq in range(row.first_seq, row.first_seq + row.size)}
    assert kept <= lost_now
    issuer = ledger.installation.issuer
    assert Coherence(ledger.database, ledger.reader, issuer, ledger.clock, local=True).findings() == []
    for number in lost.numbers[:3]:
        assert valid(lost.pilot, ledger.bundles.build(number).to_bytes())
    # And goes on.
    assert valid(lost.pilot, ledger.bundles.build(lost.pilot.certificate(lost.pilot.firm())).to_bytes())


def test_what_ended_meanwhile_comes_back_ended(lost: Lost) -> None:
    ledger = lost.pilot.ledger
    for raw in lost.bundles.values():
        lost.adopting.adopt(raw)
    assert ledger.verification.status(lost.numbers[3])["state"] == "revoked"
    assert not valid(lost.pilot, ledger.bundles.build(lost.numbers[3]).to_bytes())
    with ledger.database.read() as session:
        request = session.get_one(Certificate, lost.withdrawn).request_id
        consent = session.scalars(select(Authorization).where(Authorization.request_id == request)).one()
    assert consent.state == "withdrawn"
    assert not valid(lost.pilot, ledger.bundles.build(lost.withdrawn).to_bytes())


def test_a_party_that_no_backup_knows_comes_back_by_id_and_key(
    lost: Lost, origin: tuple[Path, Settings, dict[str, Any]]
) -> None:
    ledger = lost.pilot.ledger
    told = lost.adopting.adopt(lost.bundles[lost.newcomer])
    (party,) = told.parties
    with ledger.database.read() as session:
        account = session.get_one(Party, party).account
    # Its key came after the backup of the keys: the firm has it, and presents by itself.
    holder = Custody(origin[0] / "home" / "keys" / "accounts.json").signer(account)
    assert valid(lost.pilot, ledger.bundles.build(lost.newcomer).to_bytes(), holder)
    with pytest.raises(NotFound, match="SEALED_LOST"):
        ledger.parties.identity(party)
    with ledger.database.read() as session:
        row = session.get_one(Party, party)
        assert row.no == ledger.reader.party_no(party)
        request = session.scalars(select(AccessRequest).where(AccessRequest.subject == party)).one()
        answer = session.scalars(
            select(Provision).where(
                Provision.authorization_id.in_(select(Authorization.id).where(Authorization.request_id == request.id))
            )
        ).one()
    assert request.state == "fulfilled" and answer.result == "supplied"


def test_erased_text_does_not_come_back_from_a_holder(lost: Lost) -> None:
    """Its entry does, and so does its status; the list of erasures came with the restore."""
    ledger = lost.pilot.ledger
    told = lost.adopting.adopt(lost.bundles[lost.erased])
    assert told.entries == 4 and told.claims == []
    assert ledger.verification.status(lost.erased)["state"] == "active"
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.bundles.build(lost.erased)


def test_claims_that_one_bundle_withheld_come_with_the_next(lost: Lost) -> None:
    ledger, number = lost.pilot.ledger, lost.numbers[0]
    full = parse_bundle(lost.bundles[number])
    first = lost.adopting.adopt(disclosing(full, FIELDS[:2]).to_bytes())
    assert sorted(first.claims) == sorted(FIELDS[:2])
    with pytest.raises(PingzhengError, match="FIELD_OUTSIDE_AUTHORIZATION"):
        ledger.bundles.build(number, FIELDS)
    second = lost.adopting.adopt(disclosing(full, FIELDS[2:]).to_bytes())
    assert sorted(second.claims) == sorted(FIELDS) and second.entries == 0
    assert ledger.bundles.build(number, FIELDS)


def test_a_request_whose_certificate_was_lost_may_have_another_when_it_comes_back(
    lost: Lost, origin: tuple[Path, Settings, dict[str, Any]]
) -> None:
    """Issued again after the restore, under a number that nobody had; then the holder brings the first one."""
    ledger, (firm, answered, first) = lost.pilot.ledger, origin[2]["issued"]
    (second,) = lost.pilot.bureau.issue({firm: answered}).values()
    ledger.anchoring.flush()
    assert second != first
    assert lost.adopting.adopt(lost.bundles[first]).entries == 1
    for number in (first, second):
        assert ledger.verification.status(number)["state"] == "active"
        assert valid(lost.pilot, ledger.bundles.build(number).to_bytes())
    # The chain counts their uses together: the request allows so many, whatever came of it.
    with ledger.database.read() as session:
        rows = [session.get_one(Certificate, number) for number in (first, second)]
    assert rows[0].request_id == rows[1].request_id and rows[0].version != rows[1].version


def test_before_the_erasures_are_confirmed_claims_come_back_closed_and_what_was_erased_never(
    origin: tuple[Path, Settings, dict[str, Any]], tmp_path: Path
) -> None:
    """Restored without a list; holders bring their bundles first, and the list is found after that."""
    folder, settings, told = origin
    home = settings.model_copy(update={"home": tmp_path / "home", "erasures": None})
    chain, erased, kept = folder / "home" / "chain", told["erased"], told["numbers"][0]
    restore(home, Sources(folder / "backup", folder / "keys", chain=chain))
    with reopened(home, told["pilot"]) as pilot:
        lost = Lost(pilot, told["bundles"], told["numbers"], told["newcomer"], told["withdrawn"], erased)
        for number in (kept, erased):
            lost.adopting.adopt(lost.bundles[number])
            with pytest.raises(Conflict, match="SEALED_CLOSED"):
                pilot.ledger.bundles.build(number)
        texts(pilot).confirm(settings.erasures)
        assert valid(pilot, pilot.ledger.bundles.build(kept).to_bytes())
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            pilot.ledger.bundles.build(erased)
        # The list is kept: the same bundle once more brings nothing.
        assert lost.adopting.adopt(lost.bundles[erased]).claims == []
    again = settings.model_copy(update={"home": tmp_path / "again", "erasures": None})
    restore(again, Sources(folder / "backup", folder / "keys", chain=chain))
    with reopened(again, told["pilot"]) as pilot:
        texts(pilot).confirm(settings.erasures)
        lost = Lost(pilot, told["bundles"], told["numbers"], told["newcomer"], told["withdrawn"], erased)
        assert lost.adopting.adopt(lost.bundles[erased]).claims == []
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            pilot.ledger.bundles.build(erased)


def forged(full: Bundle, place: int | None, **changes: Any) -> bytes:
    """The bundle with another entry, proof or position in that place of its evidence, or of the certificate."""
    if place is None:
        return replace(full, **changes).to_bytes()
    evidence = list(full.evidence)
    evidence[place] = replace(evidence[place], **changes)
    return replace(full, evidence=tuple(evidence)).to_bytes()


def test_nothing_comes_in_that_was_not_anchored(lost: Lost) -> None:
    """Each part of each item by itself: text, proof, position. Nothing of the bundle is taken then."""
    full, before = parse_bundle(lost.bundles[lost.numbers[0]]), entries_in(lost)
    hostile = []
    for place, item in enumerate(full.evidence):
        stated = json.loads(item.entry)
        other = canonical({**stated, "v": 3}).decode()
        hostile.append(forged(full, place, entry=other))
        hostile.append(forged(full, place, entry=item.entry + " "))
        hostile.append(forged(full, place, entry="[]"))
        hostile.append(forged(full, place, entry="x"))
        hostile.append(forged(full, place, proof=(*item.proof, bytes(32))))
        hostile.append(forged(full, place, position=replace(item.position, index=item.position.index ^ 1)))
        hostile.append(forged(full, place, position=replace(item.position, batch=item.position.batch + 1)))
        hostile.append(forged(full, place, position=replace(item.position, batch=10**6)))
        hostile.append(forged(full, place, position=replace(item.position, issuer=3)))
        if item.proof:
            hostile.append(forged(full, place, proof=item.proof[:-1]))
            hostile.append(forged(full, place, proof=(bytes(32), *item.proof[1:])))
    hostile.append(forged(full, None, position=replace(full.position, batch=full.position.batch - 1)))
    hostile.append(forged(full, None, position=replace(full.position, issuer=3)))
    hostile.append(forged(full, None, proof=(*full.proof, bytes(32))))
    hostile.append(forged(full, None, chain=replace(full.chain, origin="00" * 32)))
    other = parse_bundle(lost.bundles[lost.numbers[1]])
    hostile.append(forged(full, None, certificate=other.certificate))
    token, *claims = full.certificate.split("~")
    foreign = other.certificate.split("~")[1]
    hostile.append(forged(full, None, certificate="~".join([token, foreign, *claims[1:]])))
    hostile += [b"", b"{}", b"[]", b"\xff", full.to_bytes()[:-9]]
    for raw in hostile:
        with pytest.raises((InvalidInput, BadBundle)):
            lost.adopting.adopt(raw)
    assert entries_in(lost) == before and len(hostile) > 40


def test_the_root_is_the_chains_and_not_the_databases(lost: Lost) -> None:
    full = parse_bundle(lost.bundles[lost.numbers[0]])
    with lost.pilot.ledger.database.write() as session:
        session.execute(update(Batch).where(Batch.number == full.position.batch).values(root="00" * 32))
    with pytest.raises(Incoherent, match="LOG_FORKED"):
        lost.adopting.adopt(full.to_bytes())


def test_a_bundle_without_a_valid_signature_brings_the_entry_and_is_signed_again(lost: Lost) -> None:
    """The entry was anchored; the signature that came with it is not the issuer's, and is not kept."""
    ledger, number = lost.pilot.ledger, lost.numbers[0]
    full = parse_bundle(lost.bundles[number])
    token, *rest = full.certificate.split("~")
    head, payload, signature = token.split(".")
    changed = signature[:-3] + ("AAA" if signature[-3:] != "AAA" else "BBB")
    lost.adopting.adopt(forged(full, None, certificate="~".join([f"{head}.{payload}.{changed}", *rest])))
    built = ledger.bundles.build(number)
    assert built.certificate.split("~")[0] != f"{head}.{payload}.{changed}" and valid(lost.pilot, built.to_bytes())


def test_of_an_entry_that_nobody_brought_back_there_is_no_proof(
    origin: tuple[Path, Settings, dict[str, Any]], tmp_path: Path
) -> None:
    """It waited when the backup was made, so it is here; its batch is not."""
    folder, settings, told = origin
    source = copied(folder / "home", tmp_path / "source")
    mine = settings.model_copy(update={"home": source, "erasures": None})
    with reopened(mine, told["pilot"]) as pilot:
        pilot.ledger.anchoring.flush()
        pilot.authorise(pilot.firm())
        back_up(mine, tmp_path / "data", tmp_path / "keys")
        pilot.authorise(pilot.firm())
        pilot.ledger.anchoring.flush()
    home = settings.model_copy(update={"home": tmp_path / "home", "erasures": None})
    found = restore(home, Sources(tmp_path / "data", tmp_path / "keys", chain=source / "chain"))
    (batch,) = found.log.lost
    assert (batch.last_seq - batch.first_seq + 1, batch.missing) == (4, 2)
    with reopened(home, told["pilot"]) as pilot:
        with pytest.raises(Conflict, match="BATCH_LOST"):
            pilot.ledger.inspection.proof(batch.first_seq)
        with pytest.raises(NotFound, match="ENTRY_UNKNOWN"):
            pilot.ledger.inspection.proof(batch.last_seq)


def test_the_list_of_erasures_stays_with_the_restored_ledger(lost: Lost) -> None:
    ledger = lost.pilot.ledger
    file = ErasuresFile(ledger.settings.home / ERASURES, ledger.reader.chain.ledger)
    assert {target for each in file.read() for target in each.targets} == set(ledger.archiving.erased())
    ledger.archiving.record_erasure(("ff" * 32,), None, ())
    assert isinstance(file.read()[-1], ErasedText) and file.read()[-1].targets == ("ff" * 32,)
