"""Finds the packages of the compared products (the peers), and their contracts. A contract without published bytecode
is compiled here.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from ledger.chain.local.node_programs import find_node

BENCH: Final = Path(__file__).resolve().parent.parent
MODULES: Final = BENCH / "node_modules"
SOURCE: Final = BENCH / "peers" / "peers.sol"
# The packages of compared products whose versions the report shows.
NAMED: Final = (
    "@ethereum-attestation-service/eas-contracts",
    "@tradetrust-tt/token-registry",
    "@openzeppelin/contracts",
    "@foundry-rs/anvil",
    "ganache",
)
_COMPILE: Final = """
const solc = require("solc"), fs = require("node:fs"), path = require("node:path");
const read = (name) => ({ contents: fs.readFileSync(path.join(process.cwd(), "node_modules", name), "utf8") });
process.stdout.write(solc.compile(fs.readFileSync(0, "utf8"), { import: read }));
"""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A contract that can be deployed."""

    abi: list[dict[str, Any]]
    bytecode: str


def installed() -> bool:
    """Return whether the packages of the compared products are installed completely, that is, whether npm has written
    its list of packages, which it writes last.
    """
    return (MODULES / ".package-lock.json").is_file()


def versions() -> dict[str, str]:
    """Return the version of each package that a report names."""
    return {name: str(json.loads((MODULES / name / "package.json").read_text("utf-8"))["version"]) for name in NAMED}


def anvil() -> Path:
    """Return the path of the program anvil, whose package has one folder for each platform."""
    return next((MODULES / "@foundry-rs").glob("anvil-*/bin/anvil*"))


def ganache() -> Path:
    """Return the path of the program ganache."""
    return MODULES / "ganache" / "dist" / "node" / "cli.js"


def published(package: str, path: str) -> Artifact:
    """Return a contract from an artifact that its publisher compiled."""
    found = json.loads((MODULES / package / path).read_text("utf-8"))
    return Artifact(found["abi"], found["bytecode"])


@cache
def compiled() -> dict[str, Artifact]:
    """Compile ``peers.sol`` for the same EVM version as the project's contracts, and return its contracts by name."""
    output = ["abi", "evm.bytecode.object"]
    settings = {
        "evmVersion": "paris",
        "optimizer": {"enabled": True, "runs": 200},
        "outputSelection": {SOURCE.name: {"*": output}},
    }
    asked = {
        "language": "Solidity",
        "sources": {SOURCE.name: {"content": SOURCE.read_text("utf-8")}},
        "settings": settings,
    }
    command = [str(find_node()), "-e", _COMPILE]
    done = subprocess.run(  # noqa: S603 - both programs are the installation's own
        command, input=json.dumps(asked), cwd=BENCH, capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    if wrong := [each["formattedMessage"] for each in answer.get("errors", ()) if each["severity"] == "error"]:
        raise RuntimeError("\n".join(wrong))
    return {
        name: Artifact(found["abi"], "0x" + found["evm"]["bytecode"]["object"])
        for name, found in answer["contracts"][SOURCE.name].items()
    }
