"""Compiles the contracts and stores the artifacts in the Python package, so that users of the package need no compiler.

The compiler comes from the npm package and is called through py-solc-x. Hardhat uses the same compiler and the same
settings file.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
from pathlib import Path
from typing import Any, Final

from ledger.chain.local.node_programs import find_node
from ledger.errors import Misconfigured

PACKAGED: Final = ("AssetRegistry", "CertificateLog", "Forwarder", "PartyRegistry")
HARNESS: Final = "LibraryHarness"
ARTIFACTS: Final = Path(__file__).parent / "artifacts"
_IMPORT: Final = re.compile(r"""^import\s[^;]*?["']([^"']+)["'];""", re.MULTILINE)
_OUTPUTS: Final = (
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
)


def compile_contracts(project: Path) -> dict[str, dict[str, Any]]:
    """Compile the sources in ``project/contracts`` and return a map from contract name to artifact.

    Raises Misconfigured COMPILER_MISSING, or COMPILE_FAILED with the compiler's messages. Warnings count as errors.
    """
    try:
        from solcx import compile_standard
        from solcx.exceptions import SolcError
    except ImportError as error:
        raise Misconfigured("COMPILER_MISSING", "py-solc-x is not installed.", hint="Run `make dev`.") from error
    # The compiler is a Node script, so the Node of this environment must come first on PATH.
    os.environ["PATH"] = os.pathsep.join([str(find_node().parent), os.environ.get("PATH", "")])
    try:
        output = compile_standard(
            standard_input(project), solc_binary=project / "scripts" / "solc.mjs", allow_paths=str(project)
        )
    except SolcError as error:
        raise Misconfigured("COMPILE_FAILED", str(error)[:4000], where="contracts") from error
    problems = [item["formattedMessage"] for item in output.get("errors", []) if item["severity"] != "info"]
    if problems:
        raise Misconfigured("COMPILE_FAILED", "\n".join(problems)[:4000], where="contracts")
    return {
        name: _artifact(name, contract)
        for contracts in output["contracts"].values()
        for name, contract in contracts.items()
        if name in (*PACKAGED, HARNESS)
    }


def standard_input(project: Path) -> dict[str, Any]:
    """Return the compiler's standard JSON input: the sources with their import paths, and the shared settings."""
    sources = _reachable(project)
    settings = json.loads((project / "contracts" / "solc-settings.json").read_text())
    return {
        "language": "Solidity",
        "sources": sources,
        "settings": settings | {"outputSelection": {"*": {"*": list(_OUTPUTS)}}},
    }


def _reachable(project: Path) -> dict[str, dict[str, str]]:
    """Return our sources and only those library files that they import, because compiling the whole library takes
    minutes.
    """
    waiting = [path.relative_to(project).as_posix() for path in sorted((project / "contracts").rglob("*.sol"))]
    sources: dict[str, dict[str, str]] = {}
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        root = project if name.startswith("contracts/") else project / "node_modules"
        content = (root / name).read_text("utf-8")
        sources[name] = {"content": content}
        for imported in _IMPORT.findall(content):
            relative = imported.startswith(".")
            waiting.append(
                posixpath.normpath(posixpath.join(posixpath.dirname(name), imported)) if relative else imported
            )
    return dict(sorted(sources.items()))


def artifact_text(artifact: dict[str, Any]) -> str:
    """Return the text of an artifact's file: JSON with sorted keys."""
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def package(project: Path) -> list[Path]:
    """Write the packaged artifacts that differ from the compiled sources, and return their paths."""
    written = []
    for path, text in _wanted(project).items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            written.append(path)
    return written


def outdated(project: Path) -> list[str]:
    """Return the names of packaged artifacts that differ from the compiled sources."""
    return [path.stem for path, text in _wanted(project).items() if not path.exists() or path.read_text() != text]


def _wanted(project: Path) -> dict[Path, str]:
    compiled = compile_contracts(project)
    return {ARTIFACTS / f"{name}.json": artifact_text(compiled[name]) for name in PACKAGED}


def _artifact(name: str, contract: dict[str, Any]) -> dict[str, Any]:
    runtime = contract["evm"]["deployedBytecode"]
    references = runtime.get("immutableReferences", {})
    return {
        "abi": contract["abi"],
        "bytecode": contract["evm"]["bytecode"]["object"],
        "contractName": name,
        "deployedBytecode": runtime["object"],
        # The compiler may give an immutable another number when unrelated sources change. So the compiler's numbers are
        # replaced by 0, 1, 2, …, and the order is kept.
        "immutableReferences": {str(place): references[key] for place, key in enumerate(sorted(references, key=int))},
    }
