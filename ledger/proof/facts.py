"""Facts (protocol §8): what a verifier takes from the chain, as of one block; savable, for use offline."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, TypeGuard, TypeVar

from ledger.domain.canonical import parse_json
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.bundle import Bundle, ChainId, Evidence, Position
from ledger.proof.sdjwt import Presented, parse_certificate

FORMAT: Final = "pingzheng-facts/1"
MAX_FACTS_BYTES: Final = 1024 * 1024
Value = TypeVar("Value")
NO_CHAIN: Final = ChainId(0, "", "", "")


@dataclass(frozen=True, slots=True)
class StatusFact:
    """One change of a leaf's status, by names; ``at`` is seconds UTC, ``by`` a party's number."""

    status: str
    reason: str
    at: int
    by: int


@dataclass(frozen=True, slots=True)
class UseFact:
    """One use of a leaf that the chain counted."""

    ordinal: int
    at: int


@dataclass(frozen=True, slots=True)
class WithdrawalFact:
    """A withdrawal of a leaf that a party (by id) posted to the chain for its own part; only its subject's counts."""

    party: str
    at: int


@dataclass(frozen=True, slots=True)
class AccountFact:
    """An account: its party, its period (``valid_to`` 0: open), since when its key is known to be in wrong hands
    (0: never), and its public key as text, which names its suite; the reader has checked that it is the account's."""

    party: str
    valid_from: int
    valid_to: int
    compromised_at: int
    key: str


@dataclass(frozen=True, slots=True)
class PartyFact:
    """A party as of the block; ``accreditations`` by scenario, each from and to (exclusive)."""

    no: int
    status: str
    roles: tuple[str, ...]
    accreditations: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class LienFact:
    """A lien that stands: the creditor's party id, and its rank from 1."""

    creditor: str
    rank: int


@dataclass(frozen=True, slots=True)
class HolderFact:
    """A party (by id) that held an asset from ``since`` (seconds UTC) until the next one did."""

    party: str
    since: int


@dataclass(frozen=True, slots=True)
class AssetFact:
    """A registered asset as of the block; ``holders`` are all it had, in order, ``objections`` are open ones,
    ``annulled_ancestor`` is an asset id or empty."""

    state: str
    holders: tuple[HolderFact, ...]
    frozen: bool
    valid_to: int
    head: str
    objections: int
    liens: tuple[LienFact, ...]
    annulled_ancestor: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts as of one block: number, hash (64 hex digits), time (seconds UTC). What is not in here is not known."""

    chain: ChainId
    block: int
    block_hash: str
    block_time: int
    anchors: Mapping[int, str] = field(default_factory=dict)
    status: Mapping[Position, tuple[StatusFact, ...]] = field(default_factory=dict)
    uses: Mapping[Position, tuple[UseFact, ...]] = field(default_factory=dict)
    withdrawals: Mapping[Position, tuple[WithdrawalFact, ...]] = field(default_factory=dict)
    accounts: Mapping[str, AccountFact] = field(default_factory=dict)
    parties: Mapping[str, PartyFact] = field(default_factory=dict)
    assets: Mapping[str, AssetFact] = field(default_factory=dict)

    @classmethod
    def nothing(cls) -> Facts:
        """No facts: no check that needs one passes."""
        return cls(NO_CHAIN, 0, "0" * 64, 0)

    def uses_of(self, position: Position) -> int:
        """How often the leaf was used, as of the block."""
        return len(self.uses.get(position, ()))

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": FORMAT,
            **self.chain.to_dict(),
            "block": {"number": self.block, "hash": self.block_hash, "time": self.block_time},
            "anchors": {str(batch): commitment for batch, commitment in self.anchors.items()},
            "status": _told(self.status),
            "uses": _told(self.uses),
            "withdrawals": _told(self.withdrawals),
            "accounts": {account: asdict(fact) for account, fact in self.accounts.items()},
            "parties": {
                party: {
                    "no": fact.no,
                    "status": fact.status,
                    "roles": list(fact.roles),
                    "accreditations": {
                        scenario: {"from": start, "to": end} for scenario, (start, end) in fact.accreditations.items()
                    },
                }
                for party, fact in self.parties.items()
            },
            "assets": {asset: asdict(fact) for asset, fact in self.assets.items()},
        }

    def to_bytes(self) -> bytes:
        """The file: UTF-8 JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1).encode()


def parse_facts(raw: bytes) -> Facts:
    """Saved facts; raises ``BadBundle`` ``JSON_…`` or ``FACTS_FORM``."""
    try:
        parsed = parse_json(raw, max_bytes=MAX_FACTS_BYTES, max_depth=16)
    except InvalidInput as error:
        raise BadBundle(error.code, error.message, where=error.where, hint="Save the facts again.") from error
    try:
        return _facts(parsed)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadBundle(
            "FACTS_FORM",
            f"These are no saved facts of {FORMAT}.",
            hint="Save them with `pingzheng facts` while the chain is in reach.",
        ) from error


def _facts(raw: Any) -> Facts:
    if raw["format"] != FORMAT:
        raise ValueError("another format")
    return Facts(
        chain=_typed(ChainId(*(raw[item.name] for item in fields(ChainId)))),
        block=int(raw["block"]["number"]),
        block_hash=str(raw["block"]["hash"]),
        block_time=int(raw["block"]["time"]),
        anchors={int(batch): str(commitment) for batch, commitment in raw["anchors"].items()},
        status=_histories(raw["status"], StatusFact),
        uses=_histories(raw["uses"], UseFact),
        withdrawals=_histories(raw["withdrawals"], WithdrawalFact),
        accounts={account: _typed(AccountFact(**fact)) for account, fact in raw["accounts"].items()},
        parties={party: _party(fact) for party, fact in raw["parties"].items()},
        assets={asset: _asset(fact) for asset, fact in raw["assets"].items()},
    )


def _told(histories: Mapping[Position, Sequence[StatusFact | UseFact | WithdrawalFact]]) -> list[dict[str, Any]]:
    return [
        {**position.to_dict(), "history": [asdict(item) for item in history]} for position, history in histories.items()
    ]


def _histories(raw: Any, kind: Callable[..., Value]) -> dict[Position, tuple[Value, ...]]:
    return {
        _typed(Position(item["batch"], item["index"])): tuple(_typed(kind(**each)) for each in item["history"])
        for item in raw
    }


def _typed(value: Value) -> Value:
    """The dataclass, if its numbers are integers and its texts are texts: a check never meets another type."""
    expected = {"int": int, "str": str, "bool": bool}
    for item in fields(value):  # type: ignore[arg-type]
        kind = expected.get(str(item.type))
        if kind is not None and type(getattr(value, item.name)) is not kind:
            raise ValueError(f"{item.name} is not of its type")
    return value


def _asset(raw: Any) -> AssetFact:
    liens = tuple(_typed(LienFact(**lien)) for lien in raw["liens"])
    holders = tuple(_typed(HolderFact(**holder)) for holder in raw["holders"])
    return _typed(AssetFact(**{**raw, "liens": liens, "holders": holders}))


def _party(raw: Any) -> PartyFact:
    accreditations = {
        scenario: (int(period["from"]), int(period["to"])) for scenario, period in raw["accreditations"].items()
    }
    return PartyFact(int(raw["no"]), str(raw["status"]), tuple(raw["roles"]), accreditations)


@dataclass(frozen=True, slots=True)
class FactsNeeded:
    """What to ask the chain for one bundle. ``accreditation`` is (party id, scenario); ``subjects`` has, for the
    position of each evidence entry, the party ids that the entry names as its subject: those who can withdraw it."""

    batches: frozenset[int]
    positions: frozenset[Position]
    subjects: Mapping[Position, frozenset[str]]
    used: Position
    accounts: frozenset[str]
    accreditation: tuple[str, str] | None
    asset: str | None


def facts_needed(bundle: Bundle) -> FactsNeeded:
    """Never raises: what cannot be read from a hostile certificate is not asked for."""
    presented = _presented(bundle)
    claims = presented.claims if presented else {}
    scenario, issuer, asset = (claims.get(name) for name in ("scenario", "iss", "asset"))
    signers = {item.signer for item in bundle.evidence} | {presented.issued.kid if presented else None}
    return FactsNeeded(
        batches=frozenset({bundle.position.batch, *(item.position.batch for item in bundle.evidence)}),
        positions=frozenset({bundle.position, *(item.position for item in bundle.evidence)}),
        subjects=_subjects(bundle.evidence),
        used=bundle.position,
        accounts=frozenset(signer for signer in signers if signer is not None),
        accreditation=(issuer, scenario) if _is_id(issuer) and _is_code(scenario) else None,
        asset=asset if _is_id(asset) else None,
    )


def _subjects(evidence: Sequence[Evidence]) -> dict[Position, frozenset[str]]:
    """Of the authorizations alone: nothing else can be withdrawn."""
    found: dict[Position, frozenset[str]] = {}
    for item in evidence:
        statement = item.statement
        if statement.get("type") == "authorization":
            subject = statement.get("subject")
            named = {subject} if _is_id(subject) else set()
            found[item.position] = found.get(item.position, frozenset()) | named
    return found


def _presented(bundle: Bundle) -> Presented | None:
    try:
        return parse_certificate(bundle.certificate)
    except BadBundle:
        return None


def _is_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) == 64 and all(digit in "0123456789abcdef" for digit in value)


def _is_code(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value.isascii() and 1 <= len(value) <= 8
