"""Fixtures: a ledger whose disk was lost after a backup; and a ledger that lost its newest batches, whose entries are
in the bundles of holders.

Each ledger is built once; tests work on copies of its folders.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.certificates.tables import Certificate
from ledger.domain.parties import Role
from ledger.installation.recovery.archiving import ERASURES
from ledger.installation.recovery.backup import back_up
from ledger.installation.recovery.reclosing import ClosedTexts
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.settings import Settings
from ledger.parties.roles import Actor
from ledger.usage.tables import Authorization
from tests.installation.recovery.lost_batches import Lost, joined, texts
from tests.installation.recovery.lost_disk import AHEAD, LATER, Opened, Story
from tests.support.actors.withdrawals import withdraw
from tests.support.ledgers.small_ledger import batches, copied, entries, founded, reopened, settings_of


@pytest.fixture(scope="package")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    settings = settings_of(folder, archive=folder / "archive", batch_size=1)
    with founded(settings) as pilot:
        ledger = pilot.ledger
        early, erased = pilot.certificate(pilot.firm()), pilot.certificate(gone := pilot.firm())
        waiting = pilot.authorise(pilot.firm())
        assert waiting
        back_up(settings, folder / "backup", folder / "keys")
        then = len(batches(ledger.database))
        actor = Actor(pilot.actors.cast.firms[gone], frozenset({Role.SUBJECT}))
        ledger.erasure.certificate(actor, erased, "subject_request")
        late = [pilot.certificate(pilot.firm()) for _ in range(LATER)]
        bundles = {number: ledger.certificates.bundles.build(number).to_bytes() for number in [early, *late]}
        ledger.certificates.status.revoke(late[1], "data_error")
        with ledger.database.read() as session:
            digests = dict(session.execute(select(Certificate.certificate_no, Certificate.digest)).all())
        result = Story(
            folder,
            settings,
            pilot,
            early,
            erased,
            late,
            bundles,
            digests,
            batches(ledger.database),
            entries(ledger.database),
            then,
        )
    assert len(result.batches) >= then + AHEAD
    return result


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "new", batch_age=0, batch_size=1, delay=0)


@pytest.fixture(scope="package")
def with_archive(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    settings = Settings(home=tmp_path_factory.mktemp("whole") / "home", batch_age=0, batch_size=1)
    archive = copied(story.archive, settings.home.parent / "archive")
    result = restore(settings, story.sources(archive=archive))
    with reopened(settings, story.pilot) as pilot:
        yield Opened(result, pilot)


@pytest.fixture(scope="package")
def without_archive(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    settings = Settings(home=tmp_path_factory.mktemp("part") / "home", batch_age=0, batch_size=1)
    result = restore(settings, story.sources(erasures=story.archive / "erased.jsonl"))
    with reopened(settings, story.pilot) as pilot:
        # The entries of lost batches may have recorded erasures that the list of erasures does not contain. Therefore,
        # after the restore, nobody can read the sealed texts until the erasures are confirmed here.
        ledger = pilot.ledger
        assert ClosedTexts(ledger.database, result.ledger, ledger.archiving).confirm(None) == (0, result.closed)
        assert result.closed > 0
        yield Opened(result, pilot)


@pytest.fixture(scope="package")
def origin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings, dict[str, Any]]:
    """Eight certificates that were issued after the backup. Each certificate needed two batches. One certificate is for
    a firm that was registered after the backup.
    """
    folder = tmp_path_factory.mktemp("origin")
    settings = settings_of(folder, erasures=folder / ERASURES)
    with founded(settings) as pilot:
        ledger = pilot.ledger
        pilot.certificate(pilot.firm())
        answered = pilot.authorise(twice := pilot.firm())
        pilot.supply(twice, answered)
        back_up(settings, folder / "backup", folder / "keys")
        (issued,) = pilot.actors.issue({twice: answered}).values()
        ledger.anchoring.flush()
        numbers = [pilot.certificate(pilot.firm()) for _ in range(6)]
        firms = {number: ledger.usage.holdings.get(number).subject for number in numbers}
        newcomer = pilot.certificate(joined(pilot))
        held = [*numbers, newcomer, issued]
        bundles = {number: ledger.certificates.bundles.build(number).to_bytes() for number in held}
        withdrawn, erased = numbers[4], numbers[5]
        with ledger.database.read() as session:
            request = session.get_one(Certificate, withdrawn).request_id
            consent = session.scalars(select(Authorization.id).where(Authorization.request_id == request)).one()
        withdraw(pilot.actors, consent)
        subject = Actor(firms[erased], frozenset({Role.SUBJECT}))
        ledger.erasure.certificate(subject, erased, "subject_request")
        ledger.certificates.status.revoke(numbers[3], "data_error")
        ledger.anchoring.flush()
        result = {
            "bundles": bundles,
            "numbers": numbers,
            "newcomer": newcomer,
            "withdrawn": withdrawn,
            "erased": erased,
            "issued": (twice, answered, issued),
            "pilot": pilot,
        }
    return folder, settings, result


@pytest.fixture
def lost(origin: tuple[Path, Settings, dict[str, Any]], tmp_path: Path) -> Iterator[Lost]:
    folder, settings, result = origin
    home = settings.model_copy(update={"home": tmp_path / "home", "erasures": None})
    chain = folder / "home" / "chain"
    restore(home, Sources(folder / "backup", folder / "keys", chain=chain, erasures=settings.erasures))
    with reopened(home, result["pilot"]) as pilot:
        texts(pilot).confirm(None)
        yield Lost(
            pilot, result["bundles"], result["numbers"], result["newcomer"], result["withdrawn"], result["erased"]
        )
