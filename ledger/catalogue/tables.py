"""Tables of the data catalogue. A change adds a row and leaves earlier rows as they are. Only rows that store the
present state of a record are updated.

``number`` counts the rows that belong to the same record, from 1; the row with the highest number is the newest.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Source, Ulid

Code = String(64)
Digest = String(80)


class InfoSystem(Base, source=Source.BACKUP):
    """A version of an entry in the system list (系统清单); ``protection_level`` is 等保 1 to 5."""

    __tablename__ = "info_system"
    code: Mapped[str] = mapped_column(Code, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    protection_level: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int]


class CatalogueResource(Base, source=Source.BACKUP):
    """The state of an entry of the data list (数据清单), its newest version, and the published version."""

    __tablename__ = "catalogue_resource"
    code: Mapped[str] = mapped_column(Code, primary_key=True)
    provider: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    version: Mapped[int]
    published_version: Mapped[int | None]
    created_at: Mapped[int]


class ResourceVersion(Base, source=Source.BACKUP):
    """A version of a resource's description; the row is never changed."""

    __tablename__ = "resource_version"
    code: Mapped[str] = mapped_column(ForeignKey("catalogue_resource.code"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]]
    document_digest: Mapped[str] = mapped_column(Digest)
    created_by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]


class ResourceEvent(Base, source=Source.BACKUP):
    """A step of a resource: the acting party, the time, the new state, and the reason if there is one."""

    __tablename__ = "resource_event"
    code: Mapped[str] = mapped_column(ForeignKey("catalogue_resource.code"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    move: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    reason: Mapped[str | None] = mapped_column(String(400))
    at: Mapped[int]


class ResourceReview(Base, source=Source.BACKUP):
    """A recorded review of a version of important data; the report itself stays with its author."""

    __tablename__ = "resource_review"
    __table_args__ = (ForeignKeyConstraint(["code", "version"], ["resource_version.code", "resource_version.version"]),)
    code: Mapped[str] = mapped_column(Code, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reviewer: Mapped[str] = mapped_column(ForeignKey("party.id"))
    report_digest: Mapped[str] = mapped_column(Digest)
    created_at: Mapped[int]


class Publication(Base, source=Source.ENTRIES):
    """The signature of a chief data officer on a version. The signed statement is in the log, under ``digest``."""

    __tablename__ = "publication"
    __table_args__ = (ForeignKeyConstraint(["code", "version"], ["resource_version.code", "resource_version.version"]),)
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    code: Mapped[str] = mapped_column(Code, index=True)
    version: Mapped[int]
    cdo: Mapped[str] = mapped_column(ForeignKey("party.id"))
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    created_at: Mapped[int]


class ImportantDataEntry(Base, source=Source.BACKUP):
    """An entry of the important-data catalogue (重要数据目录). A resource that matches the entry is blocked."""

    __tablename__ = "important_data_entry"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    grade: Mapped[str] = mapped_column(String(16))
    pattern: Mapped[str] = mapped_column(String(200))
    fields: Mapped[list[str]]
    created_by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]
    withdrawn_at: Mapped[int | None]


class ShareDuty(Base, source=Source.BACKUP):
    """An entry of the sharing duty list (数据共享责任清单). If a resource has several entries, the newest is valid."""

    __tablename__ = "share_duty"
    code: Mapped[str] = mapped_column(ForeignKey("catalogue_resource.code"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    department: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    sla_days: Mapped[int]
    created_by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]


class Demand(Base, source=Source.BACKUP):
    """An entry of the demand list (需求清单). ``due_at`` is when the working days for connecting the data end."""

    __tablename__ = "demand"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    requester: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(400))
    domain: Mapped[str] = mapped_column(String(64))
    fields: Mapped[list[str]]
    legal_basis: Mapped[str] = mapped_column(String(400))
    wanted_by: Mapped[str | None] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(16), index=True)
    code: Mapped[str | None] = mapped_column(ForeignKey("catalogue_resource.code"), index=True)
    due_at: Mapped[int | None]
    created_at: Mapped[int]


class DemandEvent(Base, source=Source.BACKUP):
    """A step of a demand: the acting party, the time, the new state, and the reason if there is one."""

    __tablename__ = "demand_event"
    demand_id: Mapped[str] = mapped_column(ForeignKey("demand.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    move: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    reason: Mapped[str | None] = mapped_column(String(400))
    at: Mapped[int]


class OpenItem(Base, source=Source.BACKUP):
    """An entry of the open catalogue (开放目录); earlier entries of a resource are its history."""

    __tablename__ = "open_item"
    code: Mapped[str] = mapped_column(ForeignKey("catalogue_resource.code"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    open_type: Mapped[str] = mapped_column(String(16))
    conditions: Mapped[str] = mapped_column(String(400))
    licence: Mapped[str] = mapped_column(String(64))
    created_by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]
    withdrawn_at: Mapped[int | None]
