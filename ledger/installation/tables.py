"""The SQLAlchemy metadata of all tables of a ledger, for code that handles the whole database.

Every module ``tables`` in a package of ``ledger`` is imported, so a new module needs no entry here.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

import ledger.store.erasure_tables  # noqa: F401 - read for its declarations
from ledger.store.tables import Base, Source

# These modules are named ``tables``, but declare no database tables: this module, and the module that reads tables that
# people send.
_OTHERS: Final = {__name__, "ledger.connectors.tables"}


def _modules(folder: Path, prefix: str) -> Iterator[str]:
    # The folders are listed without importing their packages, because that would load the whole program.
    for module in iter_modules([str(folder)], prefix):
        place = module.name.rpartition(".")[2]
        if module.ispkg:
            yield from _modules(folder / place, f"{module.name}.")
        elif place == "tables" and module.name not in _OTHERS:
            yield module.name


for _module in _modules(Path(__file__).parents[1], "ledger."):
    import_module(_module)

METADATA: Final = Base.metadata


def names_from(source: Source) -> tuple[str, ...]:
    """Return the names of the tables that declare this source, in alphabetical order."""
    return tuple(sorted(name for name, table in METADATA.tables.items() if table.info["source"] is source))
