"""Set up an installation: its keys, the founding parties and the contracts.

The contract's constructor registers the founding parties: the authority, the operator and further authorities. So a
new ledger can be used at once, and one authority alone cannot appoint an authority or a supervisor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.chain.contracts.deployment import Deployment
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import Founding
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.domain.days import Clock
from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import MIN_DELAY, THRESHOLD
from ledger.errors import Conflict, Misconfigured, NotFound
from ledger.installation.home import (
    note_deployment,
    read_installation,
    require_deployment_unchanged,
    write_installation,
)
from ledger.installation.local_chain import Chain
from ledger.installation.settings import Settings
from ledger.log.coherence import contracts_lost
from ledger.parties.custody import Custody
from ledger.parties.keys.party_keys import PartyKeys
from ledger.parties.keys.settlement import FIRST_KEYS, settle_keys
from ledger.parties.known import KnownParty
from ledger.parties.lookups import party, party_keys
from ledger.parties.newcomers import NewParty, checked_party, find_or_add, lookup_digest
from ledger.parties.offices import FOUNDING_ROLES, FoundingOffice, Institution
from ledger.parties.register import Parties
from ledger.parties.tables import Party
from ledger.proof.suites.suite import ES256K, Suite, suite_of_key
from ledger.store.database import Database
from ledger.store.identity import known_ledger, remember_ledger, require_ledger
from ledger.store.sealing import Sealer

OPERATOR_NO: Final = 2
OPERATOR = Institution("湛江凭证平台（演示） Pingzheng platform (demo)", "91440802MA9X00011Y", "440802")

Accreditations = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Installation:
    """The parties and the client of a finished installation. ``client`` sends transactions with the operator's key.

    ``authority_party`` and ``operator`` are party ids. ``officers`` are the party ids of the founding authorities,
    beginning with ``authority_party``. ``issuer`` is the operator's party number, which is also the number of its log.
    """

    client: ChainClient
    authority_party: str
    operator: str
    officers: tuple[str, ...]
    issuer: int


@dataclass(frozen=True, slots=True)
class Founders:
    """The founding authorities in order, and for each scenario the period for which the operator is accredited."""

    offices: Sequence[FoundingOffice]
    accreditations: Accreditations


def install(
    settings: Settings,
    chain: Chain,
    custody: Custody,
    database: Database,
    sealer: Sealer,
    lookup_key: bytes,
    notice: int,
    founders: Founders,
    clock: Clock,
) -> None:
    """Create the missing parts of a new ledger: keys, founding parties, contracts.

    After a crash, call the function again. ``notice`` is the shortest public notice in seconds; it cannot be changed
    after deployment.

    Raises ``Misconfigured``: ``LEDGER_DIFFERS`` or ``DEPLOYMENT_MISSING`` if the database belongs to another ledger,
    ``DELAY_TOO_SHORT`` if the waiting period is too short and the chain is not local, ``OFFICES_MISSING`` if there are
    too few founding authorities.
    """
    place = settings.home / "deployment.json"
    require_same_ledger(place, database)
    if not place.exists():
        _require_founding(settings, founders)
        operator_key = _operator_keys(settings.home, custody, settings.signs_with)
        with database.write() as session:
            rows = _found(session, sealer, lookup_key, founders, operator_key, clock())
            founding = _constructor(session, rows, founders.accreditations)
        chain.fund(rows[1].account)
        key = custody.private_key(rows[1].account).hex()
        deploy(chain.url, key, founding, delay=settings.delay, network=chain.network, notice=notice).save(place)
    note_deployment(settings.home)
    with database.write() as session:
        remember_ledger(session, Deployment.load(place).ledger, clock())


def client_of(settings: Settings, chain: Chain, database: Database) -> ChainClient:
    """Return a client of this ledger's contracts.

    Raises ``ChainUnavailable`` or ``Misconfigured`` if the chain is not this ledger's chain; ``Misconfigured``
    ``LEDGER_DIFFERS`` or ``DEPLOYMENT_MISSING`` if the database belongs to another ledger; ``Incoherent``
    ``CHAIN_BEHIND_DATABASE`` if a local chain has lost so many blocks that the contracts are missing.
    """
    require_deployment_unchanged(settings.home)
    place = settings.home / "deployment.json"
    require_same_ledger(place, database)
    try:
        return ChainClient.at(chain.url, Deployment.load(place)).check()
    except Misconfigured as error:
        # The contracts were deployed on this local chain. If a contract is missing, the chain has lost its last blocks.
        if settings.rpc_url is None and error.code == "CONTRACT_MISSING":
            raise contracts_lost().refusal() from error
        raise


def installed(
    chain: Chain,
    client: ChainClient,
    custody: Custody,
    database: Database,
    sealer: Sealer,
    lookup_key: bytes,
) -> Installation:
    """Return the parties and the client of this installation. While database and chain do not match, the client sends
    nothing.

    Raises ``Misconfigured`` ``DATABASE_MISSING`` if the founding parties of the contracts are not those of the
    database, ``KEY_FILE_WRONG`` if the lookup key is the wrong key, and the errors of ``Sealer.open`` if the wrapping
    key is the wrong key.
    """
    rows = _founding_parties(database, ChainReader(client))
    _require_own_secrets(database, sealer, lookup_key, rows[OPERATOR_NO - 1])
    parties = [KnownParty.of(row) for row in rows]
    operator = parties[OPERATOR_NO - 1]
    if database.standing is None:
        parties = settle_keys(database, ChainReader(client), [row.id for row in parties])
        operator = parties[OPERATOR_NO - 1]
        chain.fund(operator.account)
    with database.read() as session:
        require_ledger(session, client.deployment.ledger)
    client = client.with_account(custody.private_key(operator.account).hex())
    officers = tuple(row.id for row in parties if row.no != OPERATOR_NO)
    return Installation(client, officers[0], operator.id, officers, OPERATOR_NO)


def _require_own_secrets(database: Database, sealer: Sealer, lookup_key: bytes, operator: Party) -> None:
    """Raise ``Misconfigured`` unless the database was created with this lookup key and this wrapping key."""
    if operator.lookup != lookup_digest(lookup_key, OPERATOR.uscc):
        raise Misconfigured(
            "KEY_FILE_WRONG",
            "The file lookup.key does not hold the key that this database was made with.",
            where="lookup.key",
            hint="Restore lookup.key from the backup of the keys: another key finds no party by its identifier.",
        )
    # If this sealed text has been unreadable since a restore, or was lost, opening it cannot show whether the key is
    # right. So these errors are ignored.
    with database.read() as session, suppress(Conflict, NotFound):
        sealer.open(session, operator.sealed_id)
    _ = sealer.keys.current


def provide_signing_key(
    keys: PartyKeys, parties: Parties, custody: Custody, installation: Installation, suite: Suite
) -> None:
    """Propose a new key of the suite for the operator, unless the operator already has a key of this suite.

    The key becomes valid after the waiting period. If the chain cannot check signatures of the key, two institutions
    must bind the key to the operator. If the keys of these institutions are not kept here, the new key stays among the
    operator's keys until these institutions bind it. If a crash interrupts the function, the next call completes the
    work.
    """
    operator = installation.operator
    known = [
        key
        for key in keys.history(operator)
        if suite_of_key(key.public_key) is suite and key.account in custody and key.retired_at is None
    ]
    if known and known[0].bound_at is not None:
        return
    public_key = known[0].public_key if known else custody.public_key(*custody.create(suite=suite))
    try:
        by = operator if suite in FIRST_KEYS else installation.authority_party
        keys.bind(parties.actor(by), operator, public_key)
    except Conflict as refusal:
        if refusal.code != "SIGNATURE_REQUIRED" or suite in FIRST_KEYS:
            raise


def require_same_ledger(place: Path, database: Database) -> None:
    """Raise ``Misconfigured`` unless the deployment file ``place`` and the database belong to the same ledger.

    The code is ``LEDGER_DIFFERS``, or ``DEPLOYMENT_MISSING`` if the database has a ledger and the file is missing.
    """
    with database.read() as session:
        known = known_ledger(session)
        if known is not None and place.exists():
            require_ledger(session, Deployment.load(place).ledger)
    if known is not None and not place.exists():
        raise Misconfigured(
            "DEPLOYMENT_MISSING",
            "The database belongs to a ledger whose deployment file is not in this folder.",
            where=str(place),
            hint="Restore deployment.json from the backup, or begin with an empty database.",
        )


def _require_founding(settings: Settings, founders: Founders) -> None:
    """Raise ``Misconfigured`` if the waiting period is too short for a chain that is not local, or if founders are
    missing.
    """
    if settings.rpc_url is not None and settings.delay < MIN_DELAY:
        raise Misconfigured(
            "DELAY_TOO_SHORT",
            f"A waiting period of {settings.delay} s is allowed on a local chain only: it leaves no time for a veto.",
            where="PINGZHENG_DELAY",
            hint=f"Set at least {MIN_DELAY} (24 hours); the default is 72 hours.",
        )
    names = [(office.institution.uscc, office.public_key) for office in founders.offices]
    if len(names) <= THRESHOLD or any(len({*column}) < len(names) for column in zip(*names, strict=True)):
        raise Misconfigured(
            "OFFICES_MISSING",
            f"A ledger needs at least {THRESHOLD + 1} founding authorities, each with its own USCC and key.",
            where="office",
            hint="Each authority writes a file with `pingzheng key office`. Then run `pingzheng init --office <file>`.",
        )


def _operator_keys(home: Path, custody: Custody, suite: Suite) -> list[str]:
    """Return the operator's public keys: the key for transactions and the key of the suite. Create missing keys."""
    accounts = read_installation(home)
    for wanted in (ES256K, suite):
        if wanted.alg not in accounts:
            (accounts[wanted.alg],) = custody.create(suite=wanted)
            write_installation(home, accounts)
    return [custody.public_key(accounts[each.alg]) for each in dict.fromkeys((ES256K, suite))]


def _found(
    session: Session,
    sealer: Sealer,
    lookup_key: bytes,
    founders: Founders,
    operator_keys: Sequence[str],
    now: int,
) -> list[Party]:
    """Return the rows of the founding parties in the order of their numbers; create missing rows."""
    authority, *others = founders.offices
    operator = checked_party(
        NewParty(
            PartyKind.OPERATOR,
            OPERATOR.name,
            OPERATOR.uscc,
            OPERATOR.region,
            operator_keys[0],
            frozenset({Role.ISSUER}),
            further_keys=tuple((key, "") for key in operator_keys[1:]),
        ),
        "operator",
    )
    newcomers = [authority.party(FOUNDING_ROLES), operator, *(office.party() for office in others)]
    rows = [party(session, each) for each in find_or_add(session, sealer, lookup_key, newcomers, now)]
    for number, row in enumerate(rows, start=1):
        row.no = number
    session.flush()
    return rows


def _constructor(session: Session, rows: Sequence[Party], accreditations: Accreditations) -> list[Founding]:
    given = tuple((scenario, start, end) for scenario, (start, end) in accreditations.items())
    return [
        Founding(
            row.id,
            tuple(sorted((key.account for key in party_keys(session, row.id)), key=lambda each: each != row.account)),
            Role.mask(Role(role) for role in row.roles),
            given if row.no == OPERATOR_NO else (),
        )
        for row in rows
    ]


def _founding_parties(database: Database, reader: ChainReader) -> list[Party]:
    """Return the founding parties in the order of their numbers.

    Raises ``Misconfigured`` ``DATABASE_MISSING`` if the chain has other founding parties.
    """
    with database.read() as session:
        founding = Party.no.is_not(None), Party.listed.is_(None)
        rows = list(session.scalars(select(Party).where(*founding).order_by(Party.no)))
    if not rows or any(reader.party_no(row.id) != row.no for row in rows):
        raise Misconfigured(
            "DATABASE_MISSING",
            "The contracts have other founding parties than the database.",
            where="deployment.json",
            hint="Restore the database that belongs to these contracts, with `pingzheng restore` or from the backup.",
        )
    return rows
