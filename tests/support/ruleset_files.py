"""Writes rulesets that differ from the national ruleset in some texts."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

PACKAGED = sorted(Path(str(files("ledger") / "rulesets")).glob("*.yaml"))

NATIONAL = next(path for path in PACKAGED if path.stem == "national").read_text("utf-8")


def write(folder: Path, *changes: tuple[str, str], name: str = "own.yaml") -> Path:
    """Write a copy of the national ruleset to a new file, with each text in ``changes`` replaced."""
    text = NATIONAL
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / name).write_text(text, "utf-8")
    return folder / name
