"""Books of definitions: YAML files in a folder, which are checked when loaded. An error names file, line and member."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import yaml

from ledger.errors import InvalidInput, NotFound
from ledger.rulebooks.misread_yaml import misread

MAX_FILE_BYTES = 64 * 1024
MAX_FILES = 200
_TWICE = "成员重复，或成员前缺少“-”。A member is given twice, or the dash before the member is missing."
_NOT_UTF8 = "不是 UTF-8 编码，请另存为 UTF-8。The file is not UTF-8: save it as UTF-8."


class Defined(Protocol):
    """A definition that a book can contain."""

    @property
    def code(self) -> str:
        """The definition's key in its book, such as ``S01``."""


D = TypeVar("D", bound=Defined)


class DefinitionBook(ABC, Generic[D]):
    """Finds definitions by their code; one version of each definition is in force.

    A subclass sets ``noun``. The package's files are in the folder ``<noun>s``, and error codes start with ``<NOUN>``.
    """

    noun: ClassVar[str]

    def __init__(self, definitions: Iterable[D]) -> None:
        self._by_code = {definition.code: definition for definition in definitions}

    @staticmethod
    @abstractmethod
    def parse(raw: object, where: str) -> D:
        """Parse the content of a file. Raises ``InvalidInput`` whose place is ``file: member``."""

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Load the definitions of the package and of ``folder``. A definition in ``folder`` replaces the package's
        definition with the same code.

        Raises ``InvalidInput`` ``<NOUN>_INVALID`` with file, line and member, and ``<NOUN>_TWICE``.
        """
        book = cls(cls._read(Path(str(files("ledger") / f"{cls.noun}s"))))
        if folder is not None:
            book._by_code |= cls(cls._read(folder))._by_code
        return book

    def get(self, code: str) -> D:
        """Return the definition. Raises ``NotFound`` ``<NOUN>_UNKNOWN``."""
        if code not in self._by_code:
            raise NotFound(
                f"{self.noun.upper()}_UNKNOWN",
                f"There is no such {self.noun}.",
                where=self.noun,
                hint=f"Use one of: {', '.join(sorted(self._by_code))}.",
            )
        return self._by_code[code]

    def all(self) -> list[D]:
        """Return all definitions, by code."""
        return [self._by_code[code] for code in sorted(self._by_code)]

    @classmethod
    def _read(cls, folder: Path) -> list[D]:
        if not folder.is_dir():
            message = f"没有这个文件夹。The folder of {cls.noun}s does not exist."
            raise InvalidInput("FILE_MISSING", message, where=str(folder))
        paths = sorted(folder.glob("*.yaml"))
        if len(paths) > MAX_FILES:
            message = f"文件夹中最多有 {MAX_FILES} 个文件。The folder may contain at most {MAX_FILES} files."
            raise cls._error("S_TOO_MANY", message, str(folder))
        known: dict[str, Path] = {}
        found = []
        for path in paths:
            definition = cls.read(path)
            cls.require_new(definition, path, known)
            known[definition.code] = path
            found.append(definition)
        return found

    @classmethod
    def require_new(cls, definition: D, path: Path, known: Mapping[str, Path]) -> None:
        """Raise ``InvalidInput`` ``<NOUN>_TWICE`` if a second file defines the code; ``known`` maps codes to files."""
        if other := known.get(definition.code):
            message = f"{other.name} 已定义 {definition.code}。{definition.code} is defined in {other.name} already."
            raise cls._error("_TWICE", message, path.name)

    @classmethod
    def read(cls, path: Path) -> D:
        """Return the definition in one file. Raises ``InvalidInput`` ``FILE_MISSING``, and the errors of ``load``."""
        if not path.is_file():
            raise InvalidInput("FILE_MISSING", "没有这个文件。There is no such file.", where=path.name)
        if path.stat().st_size > MAX_FILE_BYTES:
            message = f"文件超过 {MAX_FILE_BYTES} 字节。The file is larger than {MAX_FILE_BYTES} bytes."
            raise cls._error("_INVALID", message, path.name)
        try:
            text = path.read_text("utf-8")
            raw = yaml.load(text, _UniqueKeys)  # noqa: S506 - a safe loader
        except _KeyTwice as error:
            raise cls._error("_INVALID", _TWICE, f"{path.name}, line {error.line}") from error
        except yaml.YAMLError as error:
            line, mistake = misread(error, text)
            raise cls._error("_INVALID", mistake, path.name if line is None else f"{path.name}, line {line}") from error
        except UnicodeDecodeError as error:
            raise cls._error("_INVALID", _NOT_UTF8, path.name) from error
        except (OSError, ValueError, RecursionError) as error:
            # Possible causes: no permission to read the file, a number that is too long, or too many nested brackets.
            raise cls._error("_INVALID", "无法读取的 YAML。The YAML cannot be read.", path.name) from error
        try:
            return cls.parse(raw, path.name)
        except InvalidInput as error:
            error.where = _with_line(error.where, text)
            raise

    @classmethod
    def _error(cls, ending: str, message: str, where: str | None = None) -> InvalidInput:
        return InvalidInput(cls.noun.upper() + ending, message, where=where)


class _KeyTwice(yaml.YAMLError):
    """A mapping has a key twice; ``line`` is the line of the second occurrence."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class _UniqueKeys(yaml.SafeLoader):
    """A YAML loader that refuses a key given twice; the usual loader silently takes the last value. Dates
    stay texts.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping. Raises ``_KeyTwice`` if a key occurs twice."""
        keys = [key.value for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise _KeyTwice(node.value[place][0].start_mark.line + 1)
        return super().construct_mapping(node, deep)


_UniqueKeys.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _with_line(where: str | None, text: str) -> str | None:
    """Return the place ``file: a[1].b`` with the line number that the member has in ``text``."""
    if where is None or ": " not in where:
        return where
    name, _, member = where.partition(": ")
    node = yaml.compose(text, yaml.SafeLoader)
    line = node.start_mark.line + 1 if node is not None else 1
    for step in member.replace("[", ".[").replace(": ", ".").split("."):
        node = _child(node, step)
        if node is None:
            break
        line = node.start_mark.line + 1
    return f"{name}, line {line}: {member}"


def _child(node: yaml.Node | None, step: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and step.startswith("["):
        index = int(step.strip("[]"))
        return node.value[index] if index < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return None
