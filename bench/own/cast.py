"""The parties of a run: a bank that asks, a department that supplies, many subjects, a registrar and a resource holder.

The bank, the department and the subjects keep their own keys outside the ledger, as in production. Each key is computed
from the party's name, so a worker process can sign without receiving a key.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.peers.nodes import CHAIN_ID, Node
from ledger.domain.codes import synthetic_resident_id, synthetic_uscc
from ledger.domain.days import Clock
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import MIN_DELAY
from ledger.errors import Misconfigured
from ledger.installation.home import holds_ledger
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.parties.custody import Custody, signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.parties.newcomers import NewParty
from ledger.parties.offices import local_offices
from ledger.proof.bundle import ChainId
from ledger.proof.jws import Signer
from ledger.proof.suites.suite import ES256K, SM2SM3, SUITES

SCENARIO: Final = "S02"
REGION: Final = "440800"
BANK, DEPARTMENT, REGISTRAR, HOLDER = "bank", "department", "registrar", "holder"
NAMES: Final = {
    BANK: "基准测试银行（演示） Bench bank (demo)",
    DEPARTMENT: "基准测试社保中心（演示） Bench insurance agency (demo)",
    REGISTRAR: "基准测试登记中心（演示） Bench registrar (demo)",
    HOLDER: "基准测试数据公司（演示） Bench data company (demo)",
}
_KINDS: Final = {
    BANK: PartyKind.BANK,
    DEPARTMENT: PartyKind.PUBLIC_INST,
    REGISTRAR: PartyKind.REGISTRAR,
    HOLDER: PartyKind.UTILITY,
}
_FIRST_SERIAL: Final = 7_000
# The period of every accreditation, in seconds UTC.
_ACCREDITED: Final = dict.fromkeys((SCENARIO, REGISTRATION_SCENARIO), (1, 4 * 10**9))


@dataclass(frozen=True, slots=True)
class Cast:
    """The party ids of the institutions, with the institutions' names as keys. ``suite`` is the ``alg`` of the keys
    with which the parties sign statements.
    """

    ids: dict[str, str]
    suite: str = ES256K.alg


@contextmanager
def new_ledger(home: Path, node: Node | None = None, clock: Clock | None = None) -> Iterator[Ledger]:
    """Create a ledger with an embedded chain or, if ``node`` is given, on that node. Accredit its platform.

    On ``node``, each proposal waits for a day, and the node gives money to the accounts.
    """
    settings, accredited = Settings(home=home, local_chain_id=CHAIN_ID, delay=0), _ACCREDITED
    if node is None:
        with create_ledger(settings, clock, accreditations=accredited) as ledger:
            yield ledger
        return
    settings = settings.model_copy(update={"rpc_url": node.url, "delay": MIN_DELAY})
    elsewhere = home.with_name(f"{home.name}-founders")
    founders = local_offices(elsewhere)
    # The operator's account is not known before the first attempt to create the ledger, which fails because the account
    # has no money. On anvil, gas costs nothing, so the first attempt succeeds.
    with suppress(Misconfigured), create_ledger(settings, clock, founders=founders, accreditations=accredited):
        pass
    shutil.copytree(elsewhere / "offices", home / "offices")
    for account in Custody(settings.keys_folder / "accounts.json").accounts:
        node.fund(account)
    made = holds_ledger(home)
    with (
        open_ledger(settings, clock)
        if made
        else create_ledger(settings, clock, founders=founders, accreditations=accredited)
    ) as ledger:
        yield ledger


def key_of(name: str, suite: str = ES256K.alg) -> str:
    """Return the private key of a party as text. The key is computed from the name and the suite."""
    return SUITES[suite].prefix + hashlib.sha256(f"bench {name}".encode()).hexdigest()


def signer(name: str, suite: str = ES256K.alg) -> Signer:
    """Return a signer that uses the key of a party."""
    return signer_of_key(key_of(name, suite))


def subject_name(number: int) -> str:
    """Return the name from which the key of a subject is computed."""
    return f"subject {number}"


def newcomer(
    chain: ChainId, name: str, kind: PartyKind, title: str, identifier: str, roles: frozenset[Role] | None, suite: str
) -> NewParty:
    """Return a party to onboard, with the proof that it possesses its key.

    A party's first key cannot be an SM2 key. So a party that signs with SM2 first gets an ES256K key, and then the SM2
    key.
    """
    own = signer(name, suite)
    proof = possession_of(chain, own)
    if suite != SM2SM3.alg:
        return NewParty(kind, title, identifier, REGION, own.public_key, roles, proof)
    first = signer(name)
    further = ((own.public_key, proof),)
    return NewParty(kind, title, identifier, REGION, first.public_key, roles, possession_of(chain, first), further)


def subjects(chain: ChainId, first: int, count: int, suite: str = ES256K.alg) -> list[NewParty]:
    """Return ``count`` persons to onboard, each with its own key. The first person has the number ``first``."""
    return [
        newcomer(
            chain,
            f"{suite} {subject_name(number)}",
            PartyKind.PERSON,
            f"湛江某人{number}号",
            synthetic_resident_id(number),
            None,
            suite,
        )
        for number in range(first, first + count)
    ]


def assemble(ledger: Ledger, names: Sequence[str], suite: str = ES256K.alg, serial: int = _FIRST_SERIAL) -> Cast:
    """Onboard institutions. The ledger keeps the keys of registrar and holder, because it sends their transactions."""
    parties = []
    for place, name in enumerate(names):
        uscc = synthetic_uscc(REGION, serial + place)
        if name in (REGISTRAR, HOLDER):
            key = ledger.custody.public_key(*ledger.custody.create())
            parties.append(NewParty(_KINDS[name], NAMES[name], uscc, REGION, key))
        else:
            chain = ledger.reader.chain
            parties.append(newcomer(chain, f"{suite} {name}", _KINDS[name], NAMES[name], uscc, None, suite))
    rows = ledger.parties.onboarding.onboard(ledger.authority, parties)
    return Cast(dict(zip(names, (row.id for row in rows), strict=True)), suite)
