"""Open a ledger from its settings, or create one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from ledger.chain.locking import one_at_a_time
from ledger.chain.reading.reader import ChainReader
from ledger.domain.days import DAY, Clock
from ledger.domain.disk import writing
from ledger.installation.assembly import Ledger as Ledger
from ledger.installation.home import creating, require_files, require_made, require_secrets
from ledger.installation.joining import follow, open_joined
from ledger.installation.local_chain import LocalClock, open_chain
from ledger.installation.membership import Membership, require_operating
from ledger.installation.participant import Participant
from ledger.installation.settings import LOCK, Settings
from ledger.installation.setup import (
    OPERATOR_NO,
    Accreditations,
    Founders,
    client_of,
    install,
    installed,
    provide_signing_key,
)
from ledger.installation.tables import METADATA
from ledger.installation.use_cases.foundation import Foundation
from ledger.log.coherence import Coherence
from ledger.parties.custody import SecretFile
from ledger.parties.offices import COUNT, FIRST, FoundingOffice, keys_within_reach, local_offices, own_office
from ledger.privacy.key_providers import FileKeyProvider, local_keys
from ledger.rulebooks.rulesets import RulesetBook
from ledger.store.database import Database, open_engine, require_contents, require_tables
from ledger.store.migrations import upgrade
from ledger.store.sealing import KeyProvider, Sealer


@contextmanager
def open_ledger(settings: Settings, clock: Clock | None = None, keys: KeyProvider | None = None) -> Iterator[Ledger]:
    """Open the ledger in ``settings.home``; if its chain is local, start the chain's node.

    ``keys`` is a provider of wrapping keys, such as a key management service; it replaces the provider in the settings.
    Raises ``NotFound`` ``LEDGER_MISSING``; ``Misconfigured`` if a file is missing or damaged; ``ChainUnavailable`` or
    ``Misconfigured`` if the node does not answer or is of another chain; ``Forbidden`` ``NOT_THE_OPERATOR`` if the
    folder is a joined installation.
    """
    require_made(settings.home)
    require_operating(settings.home)
    with ExitStack() as stack:
        with writing(str(settings.home)), one_at_a_time(settings.home / LOCK):
            require_files(settings)
            ledger = _opened(stack, settings, clock or LocalClock(settings), _key_provider(settings, keys))
        yield ledger


@contextmanager
def create_ledger(
    settings: Settings,
    clock: Clock | None = None,
    keys: KeyProvider | None = None,
    founders: Sequence[FoundingOffice] = (),
    accreditations: Accreditations | None = None,
    *,
    ago: int = 0,
) -> Iterator[Ledger]:
    """Create a ledger in the empty folder ``settings.home``, or continue an interrupted creation; then open it.

    ``founders`` are the founding authorities whose keys are not kept here; on a local chain there are no such
    authorities. ``accreditations`` maps each scenario for which a new ledger accredits its operator to the period of
    the accreditation. A new local chain begins ``ago`` seconds in the past. Raises ``Conflict`` ``HOME_NOT_EMPTY``;
    ``Misconfigured`` ``KEY_FILE_MISSING`` if a partly created ledger has lost a secret key; and the errors of
    ``install``.
    """
    with ExitStack() as stack:
        with writing(str(settings.home)), creating(settings):
            provider = _key_provider(settings, keys)
            require_secrets(settings, sealing_files=isinstance(provider, FileKeyProvider))
            if ago:
                LocalClock(settings).begin(ago)
            if isinstance(provider, FileKeyProvider):
                provider.make_first()
            _lookup_key(settings).make()
            founding = Founders(_founders(settings, founders), accreditations or {})
            ledger = _opened(stack, settings, clock or LocalClock(settings), provider, founding)
        yield ledger


def _key_provider(settings: Settings, keys: KeyProvider | None) -> KeyProvider:
    return keys or local_keys(settings.key_provider, settings.keys_folder, os.environ)


def _lookup_key(settings: Settings) -> SecretFile:
    return SecretFile(settings.keys_folder / "lookup.key")


def _founders(settings: Settings, elsewhere: Sequence[FoundingOffice]) -> list[FoundingOffice]:
    """Return the founding authorities.

    On a local chain all three founding authorities are simulated, with keys in the home. On any other chain one
    authority gets a key in the home, unless ``elsewhere`` already names enough authorities.
    """
    if (settings.home / "deployment.json").exists():
        return []
    if settings.rpc_url is None:
        return local_offices(settings.home)
    own = [own_office(settings.home, FIRST)] if len(elsewhere) < COUNT else []
    return [*own, *elsewhere]


def _opened(
    stack: ExitStack,
    settings: Settings,
    clock: Clock,
    keys: KeyProvider,
    founders: Founders | None = None,
) -> Ledger:
    """Open database, chain and ledger, and let ``stack`` close them; deploy the contracts if ``founders`` is given."""
    engine = open_engine(settings.database, settings.write_wait * 1_000)
    stack.callback(engine.dispose)
    if founders is None:
        require_contents(engine)
    upgrade(engine)
    require_tables(engine, METADATA)
    chain = stack.enter_context(open_chain(settings, create=founders is not None))
    custody = keys_within_reach(settings.home)
    database = Database(engine)
    sealer = Sealer(keys)
    lookup_key = _lookup_key(settings).read()
    rules = RulesetBook.load(settings.rulesets).get(settings.ruleset)
    # The contracts do not know working days. A notice of n working days always lasts at least n days, so the contracts
    # require n days.
    notice = rules.notice_days * DAY
    if founders is not None:
        install(settings, chain, custody, database, sealer, lookup_key, notice, founders, clock)
    client = client_of(settings, chain, database)
    coherence = Coherence(database, ChainReader(client), OPERATOR_NO, clock, local=settings.rpc_url is None)
    coherence.check()
    installation = installed(chain, client, custody, database, sealer, lookup_key)
    ledger = Ledger(Foundation(settings, installation, coherence, custody, database, sealer, lookup_key, rules, clock))
    stack.callback(ledger.flush)
    # At the end, archive the local chain's journal: some acts, such as a revocation, are only in the journal.
    stack.callback(ledger.archiving, None)
    follow(ledger.follower)
    if database.standing is None:
        provide_signing_key(ledger.parties.keys, ledger.parties.register, custody, installation, settings.signs_with)
        ledger.verification.settle()
    return ledger


def open_participant(settings: Settings) -> AbstractContextManager[Participant]:
    """Open the installation in ``settings.home``; raises the errors of ``open_ledger`` or of ``open_joined``."""
    return open_ledger(settings) if Membership.of(settings.home) is None else open_joined(settings)
