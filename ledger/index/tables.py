"""The tables of the index: a copy of the chain that can be deleted and rebuilt at any time.

The tables have their own MetaData, so no migration changes them; ``Follower.rebuild`` deletes and creates them.
``idx_events`` is the history; the other tables are computed from it. Times are seconds UTC, digests and ids are 64 hex
digits, accounts are ``0x…``.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

METADATA: Final = MetaData()
_HEX = String(64)
_ACCOUNT = String(42)


def _required(kind: type[TypeEngine[Any]] | TypeEngine[Any], *names: str) -> list[Column[Any]]:
    """Return columns of one type that cannot be NULL."""
    return [Column(name, kind, nullable=False) for name in names]


def _key(kind: type[TypeEngine[Any]] | TypeEngine[Any], *names: str) -> list[Column[Any]]:
    """Return columns of one type that are part of the primary key."""
    return [Column(name, kind, primary_key=True, autoincrement=False) for name in names]


BLOCKS: Final = Table(
    "idx_blocks",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    *_required(_HEX, "hash", "parent"),
    Column("time", BigInteger, nullable=False),
)

CURSOR: Final = Table(
    "idx_cursor",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", _HEX, nullable=False),
    Column("block_time", BigInteger, nullable=False),
)

# If an event changes the head (running digest) of an asset, `scope` is the asset's id and `head` is the asset's head
# after the event. Otherwise `scope` is empty and `head` is the contract's head after the event. `by` is the number of
# the acting party; in the event's arguments the acting party may be called `by`, `issuer`, `consumer` or `party`.
EVENTS: Final = Table(
    "idx_events",
    METADATA,
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("tx_hash", _HEX, nullable=False),
    Column("contract", String(32), nullable=False),
    Column("scope", _HEX, nullable=False),
    Column("name", String(32), nullable=False),
    Column("args", JSON, nullable=False),
    *_required(BigInteger, "at", "by"),
    Column("head", _HEX, nullable=False),
    Index("ix_idx_events_scope", "contract", "scope", "block_number", "log_index"),
    Index("ix_idx_events_tx", "tx_hash"),
)

PARTIES: Final = Table(
    "idx_parties",
    METADATA,
    Column("no", BigInteger, primary_key=True, autoincrement=False),
    Column("id", _HEX, nullable=False, unique=True),
    *_required(Integer, "status", "reason"),
    *_required(BigInteger, "roles", "registered_at", "registered_by"),
)

ACCOUNTS: Final = Table(
    "idx_accounts",
    METADATA,
    Column("account", _ACCOUNT, primary_key=True),
    Column("party_no", BigInteger, nullable=False, index=True),
    *_required(BigInteger, "valid_from", "valid_to", "reported_at", "compromised_at"),
    Column("proven", Boolean, nullable=False),
    Column("proposal", BigInteger, nullable=False),
)

# Proposals. Parties are stored as their numbers; 0 means no party. `role` is a bit mask of the roles that may decide
# the proposal, 0 if a party proposed a change of its own keys. `ready` is in seconds UTC minus all paused seconds.
# `target` and `call` (hex) are empty for a proposed registration. `account` is the account that vetoed the proposal; it
# is empty if none did.
PROPOSALS: Final = Table(
    "idx_proposals",
    METADATA,
    Column("no", BigInteger, primary_key=True, autoincrement=False),
    Column("act", _HEX, nullable=False),
    Column("target", _ACCOUNT, nullable=False),
    Column("call", Text, nullable=False),
    Column("role", BigInteger, nullable=False),
    Column("concerned", BigInteger, nullable=False, index=True),
    *_required(BigInteger, "by", "confirmed_by", "at", "ready"),
    Column("state", String(16), nullable=False, index=True),
    Column("ended_at", BigInteger, nullable=False),
    Column("account", _ACCOUNT, nullable=False),
)

# A pause ends at `until`. If authorities ended it earlier, `ended_at` is the time of that act, else 0.
PAUSES: Final = Table(
    "idx_pauses",
    METADATA,
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    *_required(BigInteger, "at", "until", "by", "ended_at"),
)

ACCREDITATIONS: Final = Table(
    "idx_accreditations",
    METADATA,
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("party_no", BigInteger, nullable=False),
    Column("scenario", String(8), nullable=False),
    *_required(BigInteger, "valid_from", "valid_to", "at", "by"),
    Index("ix_idx_accreditations_party", "party_no", "scenario"),
)

# Anchored batches of each issuer's log; `issuer` is a party number.
ANCHORS: Final = Table(
    "idx_anchors",
    METADATA,
    *_key(BigInteger, "issuer", "batch"),
    *_required(BigInteger, "first_seq", "size"),
    Column("root", _HEX, nullable=False),
    *_required(BigInteger, "at", "block_number"),
    Column("tx_hash", _HEX, nullable=False),
    UniqueConstraint("issuer", "first_seq"),
)

# One row for each change of a certificate's status. The certificate is given by issuer, batch and index; without a row
# it is active.
STATUSES: Final = Table(
    "idx_statuses",
    METADATA,
    *_key(BigInteger, "issuer", "batch", "index", "block_number"),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    *_required(Integer, "status", "reason"),
    Column("since", BigInteger, nullable=False),
)

SUPERSESSIONS: Final = Table(
    "idx_supersessions",
    METADATA,
    *_key(BigInteger, "issuer", "batch", "index"),
    *_required(BigInteger, "new_batch", "new_index", "at"),
)

# The uses that a consumer (party number) recorded for a request (statement digest).
USES: Final = Table(
    "idx_uses",
    METADATA,
    Column("consumer", BigInteger, primary_key=True, autoincrement=False),
    Column("request", _HEX, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_idx_uses_request", "request"),
)

# Withdrawals of statements, which are stored as digests. Any party can record a withdrawal of any digest; only the log
# entry shows who signed the statement. `at` is the time of a withdrawal with a key that was not reported lost;
# `reported_at` is the time of a withdrawal with a reported key. Each time is 0 if there was no such withdrawal.
WITHDRAWALS: Final = Table(
    "idx_withdrawals",
    METADATA,
    Column("party", BigInteger, primary_key=True, autoincrement=False),
    Column("statement", _HEX, primary_key=True),
    *_required(BigInteger, "at", "reported_at"),
    Index("ix_idx_withdrawals_statement", "statement"),
)

# One row for each change of the holds on a statement. `offices` has a bit for each role (authority, supervisor) that
# has a hold on the statement after the change.
HOLDS: Final = Table(
    "idx_holds",
    METADATA,
    Column("statement", _HEX, primary_key=True),
    Column("change", BigInteger, primary_key=True, autoincrement=False),
    *_required(Integer, "offices", "reason"),
    *_required(BigInteger, "at", "by"),
)

# Assets. States, kinds and stages have the names in ledger.domain.assets.names. `offered_to` is 0 if the asset is not
# offered. `kind` and `stage` are empty if there is no open application. `content` is the digest that was confirmed
# last, `filed` the digest in the last application.
ASSETS: Final = Table(
    "idx_assets",
    METADATA,
    Column("id", _HEX, primary_key=True),
    Column("asset_no", BigInteger, nullable=False, unique=True),
    Column("state", String(16), nullable=False, index=True),
    *_required(String(16), "kind", "stage", "grade"),
    Column("cleared", Boolean, nullable=False),
    Column("holder_no", BigInteger, nullable=False, index=True),
    *_required(_HEX, "content", "filed"),
    Column("fingerprint", _HEX, nullable=False, index=True),
    Column("frozen", Boolean, nullable=False),
    Column("objections", Integer, nullable=False),
    *_required(BigInteger, "until", "valid_to", "offered_to", "registered_at", "registered_by", "since"),
)

OBJECTIONS: Final = Table(
    "idx_objections",
    METADATA,
    Column("asset", _HEX, primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("objector_no", BigInteger, nullable=False),
    Column("to_application", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("grounds", _HEX, nullable=False),
    *_required(BigInteger, "filed_at", "decided_at"),
)

# A right is in force while `start` <= t < `end`. The row of an ended right is kept; its `end` is when the right ended.
RIGHTS: Final = Table(
    "idx_rights",
    METADATA,
    Column("asset", _HEX, primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    *_required(Boolean, "exclusive", "sublicensable", "transferable"),
    Column("grantee_no", BigInteger, nullable=False, index=True),
    *_required(BigInteger, "start", "end"),
    Column("parent", Integer, nullable=False),
    Column("scope", _HEX, nullable=False),
)

# Present liens. When a lien is released, its row is deleted, and a later lien may have the same number.
LIENS: Final = Table(
    "idx_liens",
    METADATA,
    Column("asset", _HEX, primary_key=True),
    Column("lien", Integer, primary_key=True, autoincrement=False),
    Column("creditor_no", BigInteger, nullable=False, index=True),
    Column("rank", Integer, nullable=False),
    Column("sole", Boolean, nullable=False),
    *_required(BigInteger, "consent_to", "since"),
)

# One row for each relation between two assets; `relation` is the relation's name. The relation `replaced_by` leads from
# the old asset to the new asset.
LINEAGE: Final = Table(
    "idx_lineage",
    METADATA,
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("asset", _HEX, nullable=False, index=True),
    Column("relation", String(16), nullable=False),
    Column("other", _HEX, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
)

# The tables whose rows are computed from EVENTS.
PROJECTIONS: Final = (
    PARTIES,
    ACCOUNTS,
    PROPOSALS,
    PAUSES,
    ACCREDITATIONS,
    ANCHORS,
    STATUSES,
    SUPERSESSIONS,
    USES,
    WITHDRAWALS,
    HOLDS,
    ASSETS,
    OBJECTIONS,
    RIGHTS,
    LIENS,
    LINEAGE,
)
