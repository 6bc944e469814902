"""The tables: what the service knows beyond the chain. Digests are 64 hex digits, times are seconds UTC."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ledger.errors import Conflict

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Hex32 = String(64)
KeyText = String(71)
Ulid = String(26)


class Base(DeclarativeBase):
    """Declarative base: names for constraints, portable types."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy's API


def _had(value: str | None, party: str) -> str:
    if value is None:
        raise Conflict(
            "PARTY_WITHOUT_KEY",
            "The party never had a key.",
            where=f"party {party}",
            hint="An office gives it an enrolment code, by which it brings its first key.",
        )
    return value


class Counter(Base):
    """A gapless counter; it is raised in the transaction that uses the number."""

    __tablename__ = "counter"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int]


class Sealed(Base):
    """Personal text under its own data key. ``wrapped_key`` is null once the text has been erased."""

    __tablename__ = "sealed"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    key_id: Mapped[str] = mapped_column(String(64))
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class Party(Base):
    """A party. Name and identifier are sealed; ``lookup`` is a keyed digest of the identifier.

    ``account`` and ``public_key`` are those it acts with now; all its keys are ``PartyKey`` rows. They raise while it
    never had a key, where ``present_account`` and ``present_key`` are null.
    ``roles`` are what it was onboarded for: asked for, and no source of permission. ``listed`` is the list that the
    party was proposed with, null for a founding party.
    """

    __tablename__ = "party"
    id: Mapped[str] = mapped_column(Hex32, primary_key=True)
    no: Mapped[int | None] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    roles: Mapped[list[str]]
    region: Mapped[str] = mapped_column(String(16))
    present_account: Mapped[str | None] = mapped_column("account", String(42), unique=True)
    present_key: Mapped[str | None] = mapped_column("public_key", KeyText)
    lookup: Mapped[str] = mapped_column(Hex32, unique=True)
    sealed_id: Mapped[str] = mapped_column(ForeignKey("sealed.id"))
    listed: Mapped[str | None] = mapped_column(ForeignKey("party_list.act"), index=True)
    created_at: Mapped[int] = mapped_column(index=True)

    @property
    def account(self) -> str:
        """The account that it acts by now; raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return _had(self.present_account, self.id)

    @property
    def public_key(self) -> str:
        """The key that it acts with now, as text (protocol §4); raises ``Conflict`` ``PARTY_WITHOUT_KEY``."""
        return _had(self.present_key, self.id)


class PartyList(Base):
    """A list of parties that is proposed for registration, which the chain knows by the hash ``act`` alone.

    ``registrations`` has an object for each party: ``id``, ``roles`` (bits) and ``keys``, pairs of account and proof.
    """

    __tablename__ = "party_list"
    act: Mapped[str] = mapped_column(Hex32, primary_key=True)
    registrations: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(index=True)


class PartyKey(Base):
    """A key that is, was, or is about to be a party's: what it signed is still verified with it.

    Times are the chain's as last read; ``bound_at`` is null while the chain has not taken the account. ``public_key``
    is the key as text (protocol §4). ``proof`` is its proof of possession in hex, null for a founding key.
    """

    __tablename__ = "party_key"
    account: Mapped[str] = mapped_column(String(42), primary_key=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    public_key: Mapped[str] = mapped_column(KeyText)
    bound_at: Mapped[int | None] = mapped_column(index=True)
    retired_at: Mapped[int | None]
    reported_at: Mapped[int | None]
    compromised_at: Mapped[int | None]
    proof: Mapped[str | None] = mapped_column(String(256))


class LedgerIdentity(Base):
    """The ledger that this database belongs to: one row, its ledger digest (protocol §1)."""

    __tablename__ = "ledger_identity"
    digest: Mapped[str] = mapped_column(Hex32, primary_key=True)
    created_at: Mapped[int]


class Batch(Base):
    """A contiguous range of entries: ``closed`` here, then ``anchored`` on the chain.

    ``issuer`` is the party number whose log has the batch; null until it is anchored, like what follows it.
    """

    __tablename__ = "batch"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_seq: Mapped[int] = mapped_column(unique=True)
    size: Mapped[int]
    root: Mapped[str] = mapped_column(Hex32)
    state: Mapped[str] = mapped_column(String(16))
    closed_at: Mapped[int]
    issuer: Mapped[int | None]
    at: Mapped[int | None]
    tx_hash: Mapped[str | None] = mapped_column(Hex32)
    block_number: Mapped[int | None]
    gas_used: Mapped[int | None]


class Entry(Base):
    """One entry of the log: ``body`` is the canonical JSON that the leaf hashes, ``digest`` its statement digest.

    ``about`` is the statement that a withdrawal takes back; other entries have none.
    """

    __tablename__ = "entry"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(String(32))
    leaf: Mapped[str] = mapped_column(Hex32, unique=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    about: Mapped[str | None] = mapped_column(Hex32, index=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    batch: Mapped[int | None] = mapped_column(ForeignKey("batch.number"), index=True)
    created_at: Mapped[int]


class Resource(Base):
    """A data resource as it was first handed in; ``document`` is its full description."""

    __tablename__ = "resource"
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    title: Mapped[str] = mapped_column(String(400))
    document: Mapped[dict[str, Any]]
    content_digest: Mapped[str] = mapped_column(String(80))
    fingerprint: Mapped[str] = mapped_column(Hex32, index=True)
    created_at: Mapped[int] = mapped_column(index=True)


class Registration(Base):
    """The registration of a resource as an asset; its state and holder are read from the chain.

    A resource has a second one only after the first was rejected, cancelled or annulled.
    """

    __tablename__ = "registration"
    asset_id: Mapped[str] = mapped_column(Hex32, primary_key=True)
    resource_code: Mapped[str] = mapped_column(ForeignKey("resource.code"), index=True)
    applicant: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    reg_no: Mapped[str] = mapped_column(String(64), unique=True)
    external_reg_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[int] = mapped_column(index=True)


class AccessRequest(Base):
    """What a consumer asks of a subject; the entry ``digest`` is the original, the consumer's note is sealed."""

    __tablename__ = "access_request"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    scenario: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    consumer: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[int]
    sealed_id: Mapped[str] = mapped_column(ForeignKey("sealed.id"))
    created_at: Mapped[int]


class Authorization(Base):
    """A subject's signed consent to one source; the entry ``digest`` is the original, the notice shown is sealed."""

    __tablename__ = "authorization"
    __table_args__ = (UniqueConstraint("request_id", "source"),)
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("access_request.id"))
    scenario: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    consumer: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    source: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    sealed_id: Mapped[str] = mapped_column(ForeignKey("sealed.id"))
    created_at: Mapped[int]


class Provision(Base):
    """A provider's answer under an authorization; the disclosures of its claims are sealed.

    ``number`` counts the answers from 1: after one that timed out comes another try, after one supplied a correction.
    """

    __tablename__ = "provision"
    __table_args__ = (UniqueConstraint("authorization_id", "number"),)
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    authorization_id: Mapped[str] = mapped_column(ForeignKey("authorization.id"))
    number: Mapped[int]
    provider: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    result: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    sealed_id: Mapped[str | None] = mapped_column(ForeignKey("sealed.id"))
    created_at: Mapped[int]


class SeenClaim(Base):
    """The digest of a claim that a provision of the log signed, and the request that it was signed for."""

    __tablename__ = "seen_claim"
    digest: Mapped[str] = mapped_column(String(43), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("access_request.id"), index=True)


class Certificate(Base):
    """A data asset certificate; its entry is the payload, the disclosures are sealed.

    A request has one certificate (``version`` 1), and another for each correction. ``seq`` is the number that it
    states. ``max_uses`` is null for a registration certificate, which is not used up.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        UniqueConstraint("request_id", "version"),
        Index("ix_certificate_subject_no", "subject", "certificate_no"),
        Index("ix_certificate_consumer_no", "consumer", "certificate_no"),
    )
    certificate_no: Mapped[str] = mapped_column(String(32), primary_key=True)
    cls: Mapped[str] = mapped_column("class", String(16))
    seq: Mapped[int] = mapped_column(unique=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    scenario: Mapped[str] = mapped_column(String(8))
    issuer: Mapped[str] = mapped_column(Hex32)
    subject: Mapped[str] = mapped_column(Hex32)
    consumer: Mapped[str | None] = mapped_column(Hex32)
    request_id: Mapped[str | None] = mapped_column(ForeignKey("access_request.id"))
    version: Mapped[int] = mapped_column(default=1)
    asset_id: Mapped[str | None] = mapped_column(ForeignKey("registration.asset_id"), index=True)
    supersedes: Mapped[str | None] = mapped_column(String(32), unique=True)
    exp: Mapped[int]
    max_uses: Mapped[int | None]
    sealed_id: Mapped[str | None] = mapped_column(ForeignKey("sealed.id"))
    token: Mapped[str | None]
    created_at: Mapped[int]


class Presentation(Base):
    """A verification of a usage certificate, recorded for the subject; another installation may have issued it.

    With ``nonce_digest`` it was presented to be used: ``pending`` until it is known how that ended. ``presented`` is
    the digest of what was presented. ``issuer``, ``batch`` and ``index`` are where a genuine certificate stands,
    ``request`` is the statement digest under which its uses are counted. ``ordinal`` and ``tx_hash`` are of the use
    that was tried last, recorded before the node had it: of one that counted if the result is ``valid``.
    """

    __tablename__ = "presentation"
    # A consumer gives its nonces to holders alone, and no other consumer can take them.
    __table_args__ = (UniqueConstraint("consumer", "nonce_digest"),)
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    certificate_no: Mapped[str] = mapped_column(String(32), index=True)
    consumer: Mapped[str] = mapped_column(Hex32)
    nonce_digest: Mapped[str | None] = mapped_column(String(80))
    presented: Mapped[str | None] = mapped_column(String(80))
    fields: Mapped[list[str]]
    issuer: Mapped[int | None]
    batch: Mapped[int | None]
    index: Mapped[int | None]
    request: Mapped[str | None] = mapped_column(Hex32)
    ordinal: Mapped[int | None]
    tx_hash: Mapped[str | None] = mapped_column(Hex32)
    result: Mapped[str] = mapped_column(String(48), index=True)
    created_at: Mapped[int]


class Disclosure(Base):
    """A payload opened for a case by a supervisor; told to the subject."""

    __tablename__ = "disclosure"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    certificate_no: Mapped[str] = mapped_column(ForeignKey("certificate.certificate_no"), index=True)
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    case: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[int]


class ScenarioDraft(Base):
    """A scenario as it was drafted; ``digest`` is that of the whole definition."""

    __tablename__ = "scenario_draft"
    digest: Mapped[str] = mapped_column(String(80), primary_key=True)
    code: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    document: Mapped[dict[str, Any]]
    drafted_by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]


class ScenarioApproval(Base):
    """A draft approved by an office: ``authority`` or ``supervisor``."""

    __tablename__ = "scenario_approval"
    digest: Mapped[str] = mapped_column(ForeignKey("scenario_draft.digest"), primary_key=True)
    office: Mapped[str] = mapped_column(String(16), primary_key=True)
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]


class Operation(Base):
    """Accepted work whose entries wait for their batch; done when ``last_seq`` is anchored."""

    __tablename__ = "operation"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    party_id: Mapped[str] = mapped_column(Hex32)
    kind: Mapped[str] = mapped_column(String(32))
    last_seq: Mapped[int]
    result: Mapped[dict[str, Any]]
    created_at: Mapped[int]


class IdempotentRequest(Base):
    """A write under an ``Idempotency-Key``, of which ``key`` is a keyed digest; ``response`` is null while it runs."""

    __tablename__ = "idempotent_request"
    party_id: Mapped[str] = mapped_column(Hex32, primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(80))
    status: Mapped[int | None]
    response: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[int]
