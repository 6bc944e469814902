"""The SQLAlchemy metadata of all tables of a ledger, for code that handles the whole database."""

from __future__ import annotations

import ledger.catalogue.tables
import ledger.certificates.tables
import ledger.log.tables
import ledger.parties.access.tables
import ledger.parties.tables
import ledger.provenance.tables
import ledger.registration.tables
import ledger.rulebooks.tables
import ledger.store.erasure_tables
import ledger.usage.tables  # noqa: F401 - read for their declarations
from ledger.store.tables import Base

METADATA = Base.metadata
