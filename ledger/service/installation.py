"""First set-up of an installation: its accounts, its founding authority, its issuer, its contracts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.client import ChainClient
from ledger.chain.deploy import deploy
from ledger.chain.deployment import Deployment
from ledger.chain.reader import ChainReader
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Misconfigured
from ledger.proof.suite import Suite, suite_of_key
from ledger.service.keys import Custody, write_private
from ledger.service.local_chain import Chain
from ledger.service.parties import NewParty, Parties, account_of_identifier, checked_party, find_or_add
from ledger.service.party_keys import PartyKeys
from ledger.store.database import Database
from ledger.store.identity import known_ledger, remember_ledger, require_ledger
from ledger.store.records import party_no
from ledger.store.sealing import Sealer

FOUNDER_NO = 1


@dataclass(frozen=True, slots=True)
class Institution:
    """Who runs an installation; the defaults are synthetic and for demonstrations."""

    name: str
    uscc: str
    region: str = "440800"


AUTHORITY = Institution("湛江市数据主管部门（演示） Zhanjiang data authority (demo)", "11440800MB9X00015Q")
OPERATOR = Institution("湛江凭证平台（演示） Pingzheng platform (demo)", "91440802MA9X00011Y", "440802")


@dataclass(frozen=True, slots=True)
class Installation:
    """A set-up installation. ``client`` sends as the operator, ``authority`` as the authority, by present keys.

    ``authority_party`` and ``operator`` are party ids; ``issuer`` is the operator's party number, whose log this is.
    """

    client: ChainClient
    authority: ChainClient
    authority_party: str
    operator: str
    issuer: int


def install(
    folder: Path,
    chain: Chain,
    custody: Custody,
    database: Database,
    sealer: Sealer,
    lookup_key: bytes,
    notice: int,
    clock: Callable[[], int],
) -> Installation:
    """Set up what is missing, check what is there; safe to repeat after a crash at any point.

    ``notice`` is the least time of a public notice in seconds, which new contracts keep for good.

    Raises ``ChainUnavailable`` or ``Misconfigured`` when the chain is not the one this ledger was set up on, or the
    database is that of another ledger (``LEDGER_DIFFERS``).
    """
    place = folder / "deployment.json"
    _require_same_ledger(place, database)
    accounts = _accounts(folder / "installation.json", custody)
    founder = NewParty(
        kind=PartyKind.GOV_DEPT,
        name=AUTHORITY.name,
        identifier=AUTHORITY.uscc,
        region=AUTHORITY.region,
        public_key=custody.public_key(accounts["authority"]),
        roles=frozenset({Role.AUTHORITY, Role.ADMIN}),
    )
    with database.write() as session:
        row = find_or_add(session, sealer, lookup_key, checked_party(founder, "authority"), clock())
        row.no = FOUNDER_NO
        founder_id, authority_account = row.id, row.account
        operator_account = account_of_identifier(session, lookup_key, OPERATOR.uscc) or accounts["operator"]
    for account in (authority_account, operator_account):
        chain.fund(account)
    operator_key = custody.private_key(operator_account).hex()
    deployment = _deployment(place, chain, operator_key, founder_id, authority_account, notice)
    client = ChainClient.at(chain.url, deployment, operator_key).check()
    with database.write() as session:
        remember_ledger(session, deployment.chain.ledger, clock())
    authority = client.with_account(custody.private_key(authority_account).hex())
    parties = Parties(database, sealer, authority, ChainReader(client), lookup_key, clock)
    (operator,) = parties.onboard(
        [
            NewParty(
                kind=PartyKind.OPERATOR,
                name=OPERATOR.name,
                identifier=OPERATOR.uscc,
                region=OPERATOR.region,
                public_key=custody.public_key(accounts["operator"]),
                roles=frozenset({Role.ISSUER}),
            )
        ]
    )
    with database.read() as session:
        return Installation(client, authority, founder_id, operator.id, party_no(session, operator.id))


def provide_signing_key(keys: PartyKeys, custody: Custody, installation: Installation, suite: Suite) -> None:
    """Bind a key of that suite, kept here, to the operator, unless one is; what a crash left half done is completed."""
    known = [
        key
        for key in keys.history(installation.operator)
        if suite_of_key(key.public_key) is suite and key.account in custody and key.retired_at is None
    ]
    if known and known[0].bound_at is not None:
        return
    public_key = known[0].public_key if known else custody.public_key(*custody.create(suite=suite))
    keys.bind(installation.authority_party, installation.operator, public_key)


def _require_same_ledger(place: Path, database: Database) -> None:
    """Nothing is written into the database of another ledger, and no contracts are deployed for it a second time."""
    with database.read() as session:
        known = known_ledger(session)
        if known is not None and place.exists():
            require_ledger(session, Deployment.load(place).ledger)
    if known is not None and not place.exists():
        raise Misconfigured(
            "DEPLOYMENT_MISSING",
            "The database belongs to a ledger whose deployment file is not in this folder.",
            where=str(place),
            hint="Restore the file from the backup, or begin with an empty database.",
        )


def _accounts(path: Path, custody: Custody) -> dict[str, str]:
    if not path.exists():
        authority, operator = custody.create(2)
        write_private(path, json.dumps({"authority": authority, "operator": operator}))
    accounts: dict[str, str] = json.loads(path.read_text())
    return accounts


def _deployment(path: Path, chain: Chain, operator_key: str, founder: str, account: str, notice: int) -> Deployment:
    if not path.exists():
        deploy(chain.url, operator_key, founder, account, network=chain.network, notice=notice).save(path)
    return Deployment.load(path)
