"""Makes each act on an asset twice, on the contracts of a fast chain and in ``tests.reference``, and compares the
results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ledger.chain.contracts.abi import Interface
from ledger.chain.contracts.deployment import ASSET_REGISTRY, CONTRACTS, PARTY_REGISTRY, Deployment, interface_of
from ledger.chain.contracts.revert import RevertReader
from ledger.chain.local.node import LocalNode
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call, Founding
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.domain.assets.names import (
    APPLICATION_KINDS,
    ASSESSMENTS,
    ASSET_STATES,
    OBJECTION_STATES,
    RIGHT_KINDS,
    STAGES,
)
from ledger.domain.grades import ASSET_GRADES
from ledger.domain.parties import Role
from ledger.errors import ChainUnavailable, PingzhengError
from tests.reference.assets.life import AssetLife, Lien, Objection, Party, Right
from tests.reference.assets.next_moves import next_moves
from tests.support.chain.deployed import PARTIES
from tests.support.chain.scripted_ledger import digest

NOTICE: Final = 100
FUNDED: Final = "founder"
_GAS: Final = hex(40_000_000)
_ENUMS: Final = {"state": ASSET_STATES, "kind": APPLICATION_KINDS, "stage": STAGES, "grade": ASSET_GRADES}
_OTHER_ENUMS: Final[dict[str, dict[str, Any]]] = {
    "ASSET_WRONG_OBJECTION": {"state": OBJECTION_STATES},
    "ASSET_NOT_ACCREDITED": {"kind": ASSESSMENTS},
}

# Some parties can both hold and review an asset. With them, a test can check that a party must not review its own
# asset.
ROLES: Final[Mapping[str, tuple[Role, ...]]] = {
    "owner": (Role.PROVIDER,),
    "buyer": (Role.CONSUMER,),
    "licensee": (Role.PROVIDER, Role.SUBJECT),
    "bank": (Role.BROKER,),
    "registrar": (Role.REGISTRAR,),
    "other registrar": (Role.REGISTRAR, Role.PROVIDER, Role.SUBJECT),
    "supervisor": (Role.SUPERVISOR, Role.CONSUMER),
    "assessor": (Role.ASSESSOR, Role.CONSUMER),
    "without roles": (),
}
# These officers and the founder decide proposals. They do nothing else with assets.
OFFICERS: Final = ("second officer", "third officer")


@dataclass(frozen=True, slots=True)
class PairedAct:
    """An act of a party on an asset in two forms: the call to the contract, and the function of the reference
    implementation.
    """

    name: str
    asset: str
    by: Party
    call: Call
    after: Callable[[], AssetLife]
    fingerprint: str = ""


class World:
    """The contracts and their parties on a separate node. ``kept`` is the state that the last call of
    ``keep`` stored.
    """

    def __init__(self, node: LocalNode) -> None:
        founder = PARTIES[FUNDED]
        self._node = node
        self._connection = Connection(node.url)
        block = self._connection.block()
        assert block is not None
        # The first block is far ahead of the clock. Otherwise the clock could give a block a later time than the test
        # chose for the block.
        self.start = block.time + 100_000_000
        period = self.start, self.start + 500
        everyone = {name: Party(no, frozenset(roles)) for no, (name, roles) in enumerate(ROLES.items(), start=2)}
        everyone["assessor"] = replace(everyone["assessor"], accredited={"quality": period})
        self.parties = everyone | {"founder": Party(1, frozenset({Role.AUTHORITY}))}
        self._officer = Party(len(self.parties) + 1, frozenset({Role.AUTHORITY}))
        roles = {FUNDED: (Role.AUTHORITY,), **ROLES, **dict.fromkeys(OFFICERS, (Role.AUTHORITY,))}
        accounts = {name: "0x" + digest(f"account of {name}")[:40] for name in roles} | {FUNDED: founder.account}
        accredited = {"assessor": (("quality", *period),)}
        founding = [
            Founding(digest(name), (accounts[name],), Role.mask(roles[name]), accredited.get(name, ()))
            for name in roles
        ]
        self.deployment: Deployment = deploy(node.url, founder.key, founding, delay=0, notice=NOTICE)
        self._client = ChainClient(self._connection, self.deployment, founder.key)
        self._reverts = RevertReader(interface_of(name) for name in CONTRACTS)
        self._face: Interface = interface_of(ASSET_REGISTRY)
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._accounts = dict(enumerate(accounts.values(), start=1))
        for account in self._accounts.values():
            node.fund(account)
            node.rpc("hardhat_impersonateAccount", account)
        self._snapshot = node.snapshot()
        self.kept = (self.start, dict[str, AssetLife](), dict[str, str](), dict(self.parties))

    def keep(self, sides: SideBySide) -> None:
        """Store the current state. Every later run begins with this state."""
        self._snapshot = self._node.snapshot()
        self.kept = (sides.now, dict(sides.lives), dict(sides.fingerprints), dict(sides.parties))
        self.done.clear()
        self.refused.clear()

    def back(self) -> None:
        self._node.revert(self._snapshot)
        self._snapshot = self._node.snapshot()

    def send(self, by: Party, call: Call, at: int) -> PingzhengError | None:
        """Send a call in a block with exactly the time ``at``, and return the contract's refusal or None."""
        self._node.rpc("evm_setNextBlockTimestamp", at)
        transaction = {
            "from": self._accounts[by.no],
            "to": self.deployment.addresses[call.contract],
            "data": "0x" + self._client.encode(call).hex(),
            "gas": _GAS,
        }
        try:
            self._node.rpc("eth_sendTransaction", transaction)
        except ChainUnavailable as error:
            data = error.details["node"].get("data")
            assert data, error.details
            return self._reverts.decode(bytes.fromhex(data.removeprefix("0x")))
        return None

    def decide(self, call: Call, at: int) -> PingzhengError | None:
        """Let the founder and another officer decide a call, and return the contract's refusal or None."""
        founder = self.parties["founder"]
        assert self.send(founder, calls.propose(call), at) is None
        (number,) = self._client.read(PARTY_REGISTRY, "proposals")
        return self.send(self._officer, calls.confirm(number, call), at)

    def ask(self, questions: list[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """Call many view functions of the asset register in one request."""
        address = self.deployment.addresses[ASSET_REGISTRY]
        encoded = [(address, self._face.encode_call(function, args)) for function, args in questions]
        answers = self._connection.call_many(encoded)
        return [
            self._face.decode_result(function, answer)[0]
            for (function, _), answer in zip(questions, answers, strict=True)
        ]


class SideBySide:
    """The contract and the reference in one run, which begins at the state that the world stored."""

    def __init__(self, world: World) -> None:
        world.back()
        self.world = world
        now, lives, fingerprints, parties = world.kept
        self.now, self.lives, self.fingerprints, self.parties = now, dict(lives), dict(fingerprints), dict(parties)

    def life(self, asset: str) -> AssetLife:
        return self.lives.setdefault(asset, AssetLife())

    def having(self, fingerprint: str, asset: str) -> AssetLife | None:
        """Return the state of an asset other than ``asset`` that has this fingerprint; None if there is no
        such asset.
        """
        name = self.fingerprints.get(fingerprint, asset)
        return None if name == asset else self.life(name)

    def make(self, move: PairedAct) -> bool:
        """Make an act on the contract and in the reference; return whether both accept it. Fail if their results or
        states differ.
        """
        before = self.life(move.asset)
        expected: PingzhengError | None = None
        try:
            after = move.after()
        except PingzhengError as error:
            expected, after = error, before
        found = self.world.send(move.by, move.call, self.now)
        assert verdict(found) == verdict(expected), (move.name, found, expected, before)
        if found is not None and expected is not None:
            assert type(found) is type(expected)
            details = details_of(found)
            assert {key: details.get(key) for key in expected.details} == details_of(expected)
            self.world.refused[expected.code] += 1
            return False
        assert move.name in next_moves(before, self.now), (move.name, before)
        self.lives[move.asset] = after
        if move.fingerprint.strip("0"):
            self.fingerprints[move.fingerprint] = move.asset
        self.compare(move.asset)
        self.world.done[move.name] += 1
        return True

    def set_status(self, name: str, status: str) -> None:
        """Let two officers suspend a party or make it active again."""
        party = self.parties[name]
        assert self.world.decide(calls.set_status(party.no, status, "none"), self.now) is None
        self.parties[name] = replace(party, active=status == "active")

    def compare(self, asset: str) -> None:
        """Check that the contract and the reference have the same records of an asset."""
        life, identifier = self.life(asset), digest(asset)
        numbers = sorted({0, 7, *life.liens})
        objections = range(len(life.objections) + 2)
        found = self.world.ask(
            [
                ("assetOf", (identifier,)),
                ("rightsOf", (identifier,)),
                *(("lienOf", (identifier, number)) for number in numbers),
                *(("objectionOf", (identifier, no)) for no in objections),
                *(("assetByFingerprint", (fingerprint,)) for fingerprint in self.fingerprints),
            ]
        )
        assert found == [
            asset_of(life),
            [right_of(right) for right in life.rights],
            *(lien_of(life.liens.get(number)) for number in numbers),
            objection_of(None),
            *(objection_of(objection) for objection in life.objections),
            objection_of(None),
            *(digest(name) for name in self.fingerprints.values()),
        ]


def verdict(error: PingzhengError | None) -> str:
    return error.code if error else "done"


def details_of(error: PingzhengError) -> dict[str, Any]:
    """Return an error's details, with names in place of the numbers that the contract uses."""
    enums = _ENUMS | _OTHER_ENUMS.get(error.code, {})
    return {
        key: enums[key][value] if key in enums and isinstance(value, int) else value or "none"
        for key, value in error.details.items()
    }


def asset_of(life: AssetLife) -> dict[str, Any]:
    return {
        "state": ASSET_STATES.index(life.state),
        "kind": APPLICATION_KINDS.index(life.kind or "none"),
        "stage": STAGES.index(life.stage or "none"),
        "grade": ASSET_GRADES.index(life.grade),
        "cleared": life.cleared,
        "frozen": life.frozen,
        "objections": life.open_objections,
        "liens": sum(1 << number for number in life.liens),
        "applications": life.applications,
        "holder": life.holder,
        "offeredTo": life.offered_to,
        "until": life.until,
        "validTo": life.valid_to,
        "since": life.since,
    }


def right_of(right: Right) -> dict[str, Any]:
    return {
        "kind": RIGHT_KINDS.index(right.kind),
        "exclusive": right.exclusive,
        "sublicensable": right.sublicensable,
        "transferable": right.transferable,
        "grantee": right.grantee,
        "from": right.start,
        "to": right.end,
        "parent": right.parent,
    }


def lien_of(lien: Lien | None) -> dict[str, Any]:
    lien = lien or Lien(0, 0, False, 0)
    return {
        "creditor": lien.creditor,
        "rank": lien.rank,
        "sole": lien.sole,
        "consentTo": lien.consent_to,
        "since": lien.since,
    }


def objection_of(objection: Objection | None) -> dict[str, Any]:
    objection = objection or Objection(0, "none", 0, 0)
    return {
        "objector": objection.objector,
        "state": OBJECTION_STATES.index(objection.state),
        "application": objection.application,
        "filedAt": objection.filed_at,
    }
