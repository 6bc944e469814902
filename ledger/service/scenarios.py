"""The scenario book: every scenario file of a folder, checked when it is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from ledger.domain.scenario import Scenario, scenario_of
from ledger.errors import InvalidInput, NotFound

MAX_SCENARIO_BYTES = 64 * 1024
MAX_SCENARIOS = 200


class ScenarioBook:
    """Scenarios by code; one version of each is in force."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self._by_code: dict[str, Scenario] = {}
        for scenario in scenarios:
            if scenario.code in self._by_code:
                raise InvalidInput("SCENARIO_TWICE", f"Two files define scenario {scenario.code}.")
            self._by_code[scenario.code] = scenario

    @classmethod
    def load(cls, folder: Path | None = None) -> ScenarioBook:
        """The scenarios of the package and those of ``folder``, which replace them by code.

        Raises ``InvalidInput`` ``SCENARIO_INVALID`` naming file, line and member.
        """
        book = cls(_read(Path(str(files("ledger") / "scenarios"))))
        if folder is not None:
            book._by_code |= cls(_read(folder))._by_code
        return book

    def get(self, code: str) -> Scenario:
        """The scenario; raises ``NotFound`` ``SCENARIO_UNKNOWN``."""
        if code not in self._by_code:
            raise NotFound(
                "SCENARIO_UNKNOWN",
                "There is no such scenario.",
                where="scenario",
                hint=f"One of: {', '.join(sorted(self._by_code))}.",
            )
        return self._by_code[code]

    def all(self) -> list[Scenario]:
        """By code."""
        return [self._by_code[code] for code in sorted(self._by_code)]


class _KeyTwice(yaml.MarkedYAMLError):
    """A mapping names a key twice."""


class _UniqueKeys(yaml.SafeLoader):
    """YAML takes the last of two equal keys in silence; a scenario must not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping, if every key stands once."""
        keys = [key.value for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise _KeyTwice(problem_mark=node.value[place][0].start_mark)
        return super().construct_mapping(node, deep)


def _read(folder: Path) -> list[Scenario]:
    if not folder.is_dir():
        raise InvalidInput("FILE_MISSING", "There is no such folder of scenarios.", where=str(folder))
    paths = sorted(folder.glob("*.yaml"))
    if len(paths) > MAX_SCENARIOS:
        raise InvalidInput("SCENARIOS_TOO_MANY", f"At most {MAX_SCENARIOS} files are read.", where=str(folder))
    return [_scenario(path) for path in paths]


def _scenario(path: Path) -> Scenario:
    if path.stat().st_size > MAX_SCENARIO_BYTES:
        raise InvalidInput("SCENARIO_INVALID", f"The file is larger than {MAX_SCENARIO_BYTES} bytes.", where=path.name)
    try:
        text = path.read_text("utf-8")
        raw = yaml.load(text, _UniqueKeys)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = path.name if mark is None else f"{path.name}, line {mark.line + 1}"
        told = "A member stands twice." if isinstance(error, _KeyTwice) else "This is not YAML."
        raise InvalidInput("SCENARIO_INVALID", told, where=where) from error
    except (ValueError, RecursionError) as error:
        # Not UTF-8, an impossible date, an endless number, endless nesting.
        raise InvalidInput("SCENARIO_INVALID", "This is not YAML that can be read.", where=path.name) from error
    try:
        return scenario_of(raw, path.name)
    except InvalidInput as error:
        error.where = _with_line(error.where, text)
        raise


def _with_line(where: str | None, text: str) -> str | None:
    """``file: a[1].b`` with the line at which that member stands in ``text``."""
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
