"""Three things are not taken back from a bundle: entries that were never anchored, erased texts, and proofs that belong
to other entries.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ledger.domain.canonical import canonical
from ledger.errors import BadBundle, Conflict, Incoherent, InvalidInput, NotFound
from ledger.installation.recovery.archiving import ERASURES
from ledger.installation.recovery.backup import back_up
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.settings import Settings
from ledger.privacy.erasures_file import ErasedText, ErasuresFile
from ledger.proof.bundle import Bundle, parse_bundle
from ledger.store.tables import Batch
from tests.installation.recovery.lost_batches import Lost, entries_in, texts
from tests.support.ledgers.small_ledger import copied, reopened, valid


def test_an_erased_text_is_not_taken_back_from_a_bundle(lost: Lost) -> None:
    """The entry and its status are taken back from the bundle, but its text is not, because the list of erasures names
    it.
    """
    ledger = lost.pilot.ledger
    result = lost.adopting.adopt(lost.bundles[lost.erased])
    assert result.entries == 4 and result.claims == []
    assert ledger.verification.status(lost.erased)["state"] == "active"
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.certificates.bundles.build(lost.erased)


def test_claims_taken_back_from_a_bundle_are_unreadable_until_the_erasures_are_confirmed(
    origin: tuple[Path, Settings, dict[str, Any]], tmp_path: Path
) -> None:
    """The ledger is restored without a list of erasures. Entries are then taken back from bundles; their claims stay
    unreadable until a list of erasures is applied.
    """
    folder, settings, result = origin
    home = settings.model_copy(update={"home": tmp_path / "home", "erasures": None})
    chain, erased, kept = folder / "home" / "chain", result["erased"], result["numbers"][0]
    restore(home, Sources(folder / "backup", folder / "keys", chain=chain))
    with reopened(home, result["pilot"]) as pilot:
        lost = Lost(pilot, result["bundles"], result["numbers"], result["newcomer"], result["withdrawn"], erased)
        for number in (kept, erased):
            lost.adopting.adopt(lost.bundles[number])
            with pytest.raises(Conflict, match="SEALED_CLOSED"):
                pilot.ledger.certificates.bundles.build(number)
        texts(pilot).confirm(settings.erasures)
        assert valid(pilot, pilot.ledger.certificates.bundles.build(kept).to_bytes())
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            pilot.ledger.certificates.bundles.build(erased)
        # The ledger keeps the list of erasures that was applied. Taking the same bundle back again therefore
        # restores no erased text.
        assert lost.adopting.adopt(lost.bundles[erased]).claims == []
    again = settings.model_copy(update={"home": tmp_path / "again", "erasures": None})
    restore(again, Sources(folder / "backup", folder / "keys", chain=chain))
    with reopened(again, result["pilot"]) as pilot:
        texts(pilot).confirm(settings.erasures)
        lost = Lost(pilot, result["bundles"], result["numbers"], result["newcomer"], result["withdrawn"], erased)
        assert lost.adopting.adopt(lost.bundles[erased]).claims == []
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            pilot.ledger.certificates.bundles.build(erased)


def forged(full: Bundle, place: int | None, **changes: Any) -> bytes:
    """Return the bundle with a changed entry, proof or position, in its evidence or in its certificate."""
    if place is None:
        return replace(full, **changes).to_bytes()
    evidence = list(full.evidence)
    evidence[place] = replace(evidence[place], **changes)
    return replace(full, evidence=tuple(evidence)).to_bytes()


def test_an_entry_that_was_not_anchored_is_refused(lost: Lost) -> None:
    """Text, proof and position of each entry are forged separately; nothing of a forged bundle is taken back."""
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
    another = parse_bundle(lost.bundles[lost.numbers[1]])
    hostile.append(forged(full, None, certificate=another.certificate))
    token, *claims = full.certificate.split("~")
    foreign = another.certificate.split("~")[1]
    hostile.append(forged(full, None, certificate="~".join([token, foreign, *claims[1:]])))
    hostile += [b"", b"{}", b"[]", b"\xff", full.to_bytes()[:-9]]
    for raw in hostile:
        with pytest.raises((InvalidInput, BadBundle)):
            lost.adopting.adopt(raw)
    assert entries_in(lost) == before and len(hostile) > 40


def test_entries_are_checked_against_the_root_on_the_chain(lost: Lost) -> None:
    full = parse_bundle(lost.bundles[lost.numbers[0]])
    with lost.pilot.ledger.database.write() as session:
        session.execute(update(Batch).where(Batch.number == full.position.batch).values(root="00" * 32))
    with pytest.raises(Incoherent, match="LOG_FORKED"):
        lost.adopting.adopt(full.to_bytes())


def test_a_certificate_with_an_invalid_signature_is_taken_back_and_signed_again(lost: Lost) -> None:
    """The entry was anchored, so it is taken back. The bundle's signature was not made by the issuer, so the ledger
    signs the certificate again and does not store that signature.
    """
    ledger, number = lost.pilot.ledger, lost.numbers[0]
    full = parse_bundle(lost.bundles[number])
    token, *rest = full.certificate.split("~")
    head, payload, signature = token.split(".")
    changed = signature[:-3] + ("AAA" if signature[-3:] != "AAA" else "BBB")
    lost.adopting.adopt(forged(full, None, certificate="~".join([f"{head}.{payload}.{changed}", *rest])))
    built = ledger.certificates.bundles.build(number)
    assert built.certificate.split("~")[0] != f"{head}.{payload}.{changed}" and valid(lost.pilot, built.to_bytes())


def test_an_entry_of_a_lost_batch_has_no_proof_until_a_bundle_with_the_proof_is_taken_back(
    origin: tuple[Path, Settings, dict[str, Any]], tmp_path: Path
) -> None:
    """At the time of the backup the entry was waiting for its batch, so the backup contains the entry. The batch was
    lost, and the entry's proof with it.
    """
    folder, settings, result = origin
    source = copied(folder / "home", tmp_path / "source")
    mine = settings.model_copy(update={"home": source, "erasures": None})
    with reopened(mine, result["pilot"]) as pilot:
        pilot.ledger.anchoring.flush()
        pilot.authorise(pilot.firm())
        back_up(mine, tmp_path / "data", tmp_path / "keys")
        pilot.authorise(pilot.firm())
        pilot.ledger.anchoring.flush()
    home = settings.model_copy(update={"home": tmp_path / "home", "erasures": None})
    found = restore(home, Sources(tmp_path / "data", tmp_path / "keys", chain=source / "chain"))
    (batch,) = found.log.lost
    assert (batch.last_seq - batch.first_seq + 1, batch.missing) == (4, 2)
    with reopened(home, result["pilot"]) as pilot:
        with pytest.raises(Conflict, match="BATCH_LOST"):
            pilot.ledger.inspection.proof(pilot.ledger.actor(pilot.ledger.party), batch.first_seq)
        with pytest.raises(NotFound, match="ENTRY_UNKNOWN"):
            pilot.ledger.inspection.proof(pilot.ledger.actor(pilot.ledger.party), batch.last_seq)


def test_a_restored_ledger_has_the_list_of_erasures_and_continues_it(lost: Lost) -> None:
    ledger = lost.pilot.ledger
    file = ErasuresFile(ledger.settings.home / ERASURES, ledger.reader.chain.ledger)
    assert {target for each in file.read() for target in each.targets} == set(ledger.archiving.erased())
    ledger.archiving.record_erasure(("ff" * 32,), None, ())
    assert isinstance(file.read()[-1], ErasedText) and file.read()[-1].targets == ("ff" * 32,)
