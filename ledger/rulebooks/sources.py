"""The book of sources: the data sources of this installation's providers, as the operator's files describe them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from ledger.connectors.answers import Connector
from ledger.connectors.connector import connector_of
from ledger.connectors.source import SourceDefinition, source_of
from ledger.errors import NotFound
from ledger.rulebooks.definitions import DefinitionBook


class SourceBook(DefinitionBook[SourceDefinition]):
    """Finds sources by their code; the package contains no sources. Errors are ``SOURCE_INVALID``, ``SOURCE_TWICE``,
    ``SOURCE_UNKNOWN``.
    """

    noun = "source"
    parse = staticmethod(source_of)

    def __init__(self, definitions: Iterable[SourceDefinition]) -> None:
        kept = list(definitions)
        super().__init__(kept)
        self._connectors: dict[tuple[str, str], Connector] = {}
        for definition in kept:
            served = definition.scenario, definition.source
            if served in self._connectors:
                raise self._error(
                    "_TWICE", f"两个文件描述同一来源。Two files describe source {served[1]} of scenario {served[0]}."
                )
            self._connectors[served] = connector_of(definition)

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Load the sources in ``folder``. Raises ``InvalidInput`` ``SOURCE_INVALID`` with file, line and member."""
        return cls(() if folder is None else [definition.beside(folder) for definition in cls._read(folder)])

    def connector(self, scenario: str, source: str) -> Connector:
        """Return the connector of a scenario's source. Raises ``NotFound`` ``SOURCE_UNKNOWN``."""
        found = self._connectors.get((scenario, source))
        if found is None:
            raise NotFound(
                "SOURCE_UNKNOWN",
                f"没有文件描述该来源。No file describes the source {source} of scenario {scenario}.",
                where="source",
                hint="Write one: docs/guides/sources.md shows how.",
            )
        return found
