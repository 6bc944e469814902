"""Check the contracts with Slither, and fail if no reason is given for a finding, whatever its level.

The reason why a single finding is not a fault is given in a comment on the line before the finding:
    // slither-disable-next-line DETECTOR: why it is not a fault
EXCLUDED lists detectors that are not used for any contract, with the reason. All arguments are passed to Slither.

Examples:
    python scripts/slither.py                           exit 1 if a finding has no reason
    python scripts/slither.py --show-ignored-findings   also show the findings that the comments hide
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from ledger.chain.contracts.compile import standard_input
from ledger.chain.local.node_programs import find_node

PROJECT: Final = Path(__file__).resolve().parent.parent
# Slither needs web3 before version 8, so it is installed in its own environment.
SLITHER: Final = PROJECT / ".venv-slither" / "bin" / "slither"
# slither.config.json names this file, which has the form of a Hardhat build.
BUILD_INFO: Final = PROJECT / "cache" / "slither" / "build-info" / "contracts.json"
FINDINGS: Final = PROJECT / "cache" / "slither" / "findings.json"
EXCLUDED: Final = {
    "costly-loop": "each item of a batch has its own number and place in the head; contracts/gas.json has the cost",
    "naming-convention": "solhint holds the names: private immutables are _CAPITALS",
}
_STALE: Final = "Unused slither-disable"
_DIRECTIVE: Final = re.compile(r"slither-disable")
_EXPLAINED: Final = re.compile(r"^\s*// slither-disable-next-line [a-z0-9-]+(,[a-z0-9-]+)*: \S.{9,}$")


def unexplained() -> list[str]:
    """Return the places of slither-disable comments that give no reason, or that hide more than one line."""
    return [
        f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"
        for path in sorted((PROJECT / "contracts").rglob("*.sol"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if _DIRECTIVE.search(line) and not _EXPLAINED.match(line)
    ]


def build_info() -> dict[str, object]:
    """Compile the contracts with solc from npm, and return the result in the form of a Hardhat build info.

    Raises CalledProcessError, or RuntimeError with the errors of the compiler.
    """
    source = standard_input(PROJECT)
    source["settings"]["outputSelection"] = {"*": {"": ["ast"], "*": ["abi", "devdoc", "userdoc"]}}
    command = [str(find_node()), str(PROJECT / "scripts" / "solc.mjs")]
    compiled = subprocess.run(command, input=json.dumps(source), capture_output=True, text=True, check=True)  # noqa: S603
    output = json.loads(compiled.stdout)
    errors = [item["formattedMessage"] for item in output.get("errors", []) if item["severity"] == "error"]
    if errors:
        raise RuntimeError("\n".join(errors))
    # Slither reads only the syntax tree, but requires a member for the bytecode. To make real bytecode would take the
    # compiler twenty seconds more, so the member is empty.
    empty = {"object": "", "sourceMap": ""}
    for contracts in output["contracts"].values():
        for contract in contracts.values():
            contract["evm"] = {"bytecode": empty, "deployedBytecode": empty}
    version = json.loads((PROJECT / "node_modules" / "solc" / "package.json").read_text())["version"]
    return {"solcVersion": version, "input": source, "output": output}


def main() -> int:
    """Compile the contracts, run Slither on the result, check its findings, and return the exit code."""
    silent = unexplained()
    if silent:
        print("Give a reason for one line only: // slither-disable-next-line DETECTOR: why", *silent, sep="\n  ")
        return 1
    BUILD_INFO.parent.mkdir(parents=True, exist_ok=True)
    BUILD_INFO.write_text(json.dumps(build_info()))
    # Slither does not overwrite its output file, so an old output file is deleted first.
    FINDINGS.unlink(missing_ok=True)
    command = [str(SLITHER), ".", "--exclude", ",".join(EXCLUDED), "--json", str(FINDINGS), *sys.argv[1:]]
    # Slither asks Hardhat for its folders, and fails if npm adds a warning to Hardhat's answer. So npm reports only
    # errors.
    environment = os.environ | {"npm_config_loglevel": "error"}
    run = subprocess.run(command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    # Slither reports unused slither-disable comments, even in dependencies. Dependencies are not changed, so those
    # reports are left out.
    said = [line for line in run.stderr.splitlines() if not (_STALE in line and "/node_modules/" in line)]
    if not FINDINGS.exists():
        print(*said, sep="\n")
        return 1
    found = json.loads(FINDINGS.read_text())
    findings = [item for item in found["results"].get("detectors", []) if item["check"] != "unused-ignore-directive"]
    stale = [line for line in said if _STALE in line]
    passed = found["success"] and not findings and not stale
    if not passed:
        print(*said, sep="\n")
    print(f"slither: {len(findings)} findings without a reason, {len(stale)} reasons without a finding")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
