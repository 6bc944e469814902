"""Joined installations: a party other than the operator runs this software on the operator's chain.

A joined installation has its own database and key. It verifies certificates, records its party's uses, and follows
the chain. It never deploys contracts or anchors batches. A consumer joins to use certificates. A provider or an issuer
joins to verify certificates that are based on its data. An authority or a supervisor joins to confirm, cancel and veto
proposals and to pause the ledger, through its own node.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from ledger.chain.contracts.creation import check_creation
from ledger.chain.contracts.deployment import Deployment
from ledger.chain.reading.contract_state import PartyRecord
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.relay import Relay
from ledger.domain.days import Clock
from ledger.domain.parties import Role
from ledger.errors import ChainUnavailable, Conflict, Forbidden, Misconfigured, NotFound
from ledger.index.follower import Follower
from ledger.installation.home import (
    creating,
    deployment_digest,
    is_half_made,
    require_deployment,
    require_joined_files,
    require_made,
)
from ledger.installation.local_chain import LocalClock
from ledger.installation.membership import Membership, membership_file
from ledger.installation.participant import Participant
from ledger.installation.settings import Settings
from ledger.installation.tables import METADATA
from ledger.log.coherence import Coherence
from ledger.parties.custody import Custody
from ledger.parties.party_lists import RegistrationLists
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.roles import require_active
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.store.database import Database, open_engine, require_contents, require_tables
from ledger.store.identity import remember_ledger, require_ledger
from ledger.store.migrations import upgrade
from ledger.wallet.private_file import write_private

log = structlog.get_logger()

USERS = frozenset({Role.CONSUMER, Role.ISSUER, Role.PROVIDER, Role.AUTHORITY, Role.SUPERVISOR})


class OwnParty:
    """The party of a joined installation. Only this party may sign in at the installation; other parties are known from
    the chain.
    """

    def __init__(self, membership: Membership, custody: Custody) -> None:
        self._membership = membership
        self._custody = custody

    def key_of(self, account: str) -> str | None:
        """Return the account's public key if the account's private key is kept here, else None. Only an account whose
        private key is kept here may sign in.
        """
        return self._custody.public_key(account) if account in self._custody else None

    def account(self, identifier: str) -> str:
        """Return the account of this installation's party; raises ``NotFound`` ``PARTY_UNKNOWN`` for another party."""
        if identifier != self._membership.party:
            raise NotFound(
                "PARTY_UNKNOWN",
                "This installation acts for its own party only.",
                hint="Name the party of this installation: a joined installation has keys for its own party only.",
            )
        return self._membership.account


def join(settings: Settings, deployment_file: Path, rpc_url: str, key: bytes) -> Membership:
    """Create a joined installation in the empty folder ``settings.home``, for the party with the private key ``key``.

    The function can be called again for the same party. A second call with another key of the party replaces the kept
    key. Raises ``Conflict`` ``HOME_TAKEN`` or ``HOME_NOT_EMPTY``; ``Misconfigured`` or ``ChainUnavailable`` if the
    node's chain does not have the deployed contracts, or the contracts were not created from this version's code; and
    the errors of ``account_in_force``.
    """
    home = settings.home
    deployment = Deployment.load(deployment_file)
    client = ChainClient.at(rpc_url, deployment, key.hex()).check()
    check_creation(client.connection, deployment)
    party = account_in_force(ChainReader(client), client.account).id
    membership = Membership(party, client.account, rpc_url, deployment.ledger)
    _require_free(home, membership)
    if Membership.of(home) is None:
        with creating(settings):
            deployment.save(home / "deployment.json")
            _make_database(settings, membership)
            return _remember(settings, membership, key)
    return _remember(settings, membership, key)


def _make_database(settings: Settings, membership: Membership) -> None:
    engine = open_engine(settings.database)
    try:
        upgrade(engine)
        with Database(engine).write() as session:
            remember_ledger(session, membership.ledger, LocalClock(settings)())
    finally:
        engine.dispose()


def _remember(settings: Settings, membership: Membership, key: bytes) -> Membership:
    Custody(settings.keys_folder / "accounts.json").keep(key)
    membership = replace(membership, deployment=deployment_digest(settings.home))
    write_private(membership_file(settings.home), json.dumps(asdict(membership), indent=1))
    return membership


def account_in_force(reader: ChainReader, account: str) -> PartyRecord:
    """Return the account's party, if that party may join.

    Raises ``Forbidden`` ``PARTY_UNKNOWN_ACCOUNT``, ``ACCOUNT_RETIRED``, ``PARTY_NOT_ACTIVE`` or ``PARTY_LACKS_ROLE``,
    and ``Misconfigured`` ``ACCOUNT_WITHOUT_FUNDS`` if the chain charges for gas and the account has no funds.
    """
    bound = reader.account(account)
    if bound is None:
        raise Forbidden(
            "PARTY_UNKNOWN_ACCOUNT",
            "The account of this key belongs to no party on the chain.",
            where=account,
            hint="Give the public key to the operator, who then registers your party with this key.",
        )
    if not bound.speaks or bound.compromised_at:
        raise Forbidden(
            "ACCOUNT_RETIRED",
            "The account of this key was replaced or reported as lost.",
            where=account,
            hint="Run `pingzheng join` again with the party's current key.",
        )
    record = reader.party(bound.party_no)
    require_active(record)
    if not USERS & set(record.roles):
        raise Forbidden(
            "PARTY_LACKS_ROLE",
            "The party may not join: it is not a consumer, provider, issuer, authority or supervisor.",
            where=f"party {record.no}",
            hint="Ask the authority for one of these roles.",
            roles=list(record.roles),
        )
    _require_funds(reader, account)
    return record


def _require_funds(reader: ChainReader, account: str) -> None:
    charged = reader.latest().base_fee
    price = reader.connection.gas_price() if charged is None else charged
    if price and not reader.connection.balance(account):
        raise Misconfigured(
            "ACCOUNT_WITHOUT_FUNDS",
            "The chain charges for gas, and the account has no funds.",
            where=account,
            hint="Ask the chain's operator for funds; on a local chain run `pingzheng party fund`.",
        )


@contextmanager
def open_joined(settings: Settings, clock: Clock | None = None) -> Iterator[Participant]:
    """Open the joined installation in ``settings.home``.

    Raises ``NotFound`` ``LEDGER_MISSING``; ``Misconfigured`` ``NOT_JOINED``; ``Misconfigured`` if a file is missing or
    damaged; ``ChainUnavailable`` or ``Misconfigured`` if the node does not serve the chain that was joined.
    """
    require_made(settings.home)
    membership = Membership.of(settings.home)
    if membership is None:
        raise Misconfigured(
            "NOT_JOINED", "The installation in this folder has joined no chain.", hint="Run `pingzheng join` first."
        )
    require_joined_files(settings)
    url = settings.rpc_url or membership.rpc_url
    settings = settings.model_copy(update={"rpc_url": url})
    custody = Custody(settings.keys_folder / "accounts.json")
    key = custody.private_key(membership.account)
    deployment = Deployment.load(settings.home / "deployment.json")
    _require_joined(membership, deployment)
    require_deployment(settings.home, membership.deployment)
    clock = clock or LocalClock(settings)
    with ExitStack() as stack:
        engine = open_engine(settings.database, settings.write_wait * 1_000)
        stack.callback(engine.dispose)
        require_contents(engine)
        upgrade(engine)
        require_tables(engine, METADATA)
        client = ChainClient.at(url, deployment, key.hex()).check()
        database = Database(engine)
        with database.read() as session:
            require_ledger(session, membership.ledger)
        coherence = Coherence(database, ChainReader(client), None, clock, local=False)
        coherence.check()
        # While database and chain do not fit together, the database refuses writes, and no transactions may be sent.
        client.before_sending = database.require_writable
        own = OwnParty(membership, custody)
        opened = Participant(
            settings,
            database,
            client,
            Follower(database.engine, ChainReader(client)),
            custody,
            coherence,
            ScenarioBook.load(settings.scenarios),
            RelayedActs(Relay(client), custody, database, clock),
            RegistrationLists(database, client, clock),
            clock,
            party=membership.party,
            account_of=own.account,
            key_of=own.key_of,
            within_reach=lambda _: [membership.party],
            own_account=partial(_own_account, ChainReader(client), membership.account),
        )
        follow(opened.follower)
        if database.standing is None:
            opened.verification.settle()
        stack.callback(opened.flush)
        yield opened


def follow(follower: Follower) -> None:
    """Update the index when an installation is opened, because callers and their roles are read from the index.

    If the index does not match the chain, the mismatch is only logged: the operator must be able to open the
    installation in order to run `index rebuild`.
    """
    try:
        follower.sync()
    except ChainUnavailable as failure:
        log.warning("the index is not up to date", code=failure.code)


def _own_account(reader: ChainReader, account: str) -> dict[str, Any]:
    record = account_in_force(reader, account)
    return {"account": account, "party": record.id, "roles": list(record.roles)}


def _require_free(home: Path, wanted: Membership) -> None:
    known, path = Membership.of(home), home / "deployment.json"
    another = known is not None and (known.party, known.ledger) != (wanted.party, wanted.ledger)
    operating = (home / "installation.json").exists() or (is_half_made(home) and (home / "offices").exists())
    if another or operating or (path.exists() and Deployment.load(path).ledger != wanted.ledger):
        raise Conflict(
            "HOME_TAKEN",
            "This folder belongs to another installation: an operator's, another party's, or one on another chain.",
            where=str(home),
            hint="Choose another folder with --home.",
        )


def _require_joined(membership: Membership, deployment: Deployment) -> None:
    """Raise ``Misconfigured`` ``LEDGER_DIFFERS`` unless the folder's deployment file belongs to the joined ledger."""
    if deployment.ledger != membership.ledger:
        raise Misconfigured(
            "LEDGER_DIFFERS",
            "The deployment file in this folder belongs to another ledger than the joined ledger.",
            where="deployment.json",
            hint="Restore the deployment file that was used for joining, or join in an empty folder.",
            expected=membership.ledger,
            found=deployment.ledger,
        )
