"""Runs a verifier in a process without a network; the process cannot import packages that only a service needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.bundles.cast import AT, BANK, NONCE
from tests.support.bundles.made import Made
from tests.support.places import PROJECT

REFUSED = ("web3", "sqlalchemy", "eth_account", "eth_utils", "requests", "httpx", "urllib.request", "http.client")

PROGRAM = f"""
import json, socket, sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if any(name == each or name.startswith(each + ".") for each in {REFUSED!r}):
            raise ImportError("not offline: " + name)

class NoNetwork:
    def __init__(self, *args, **kwargs):
        raise OSError("there is no network here")

def no_network(*args, **kwargs):
    raise OSError("there is no network here")

sys.meta_path.insert(0, Refusing())
socket.socket = NoNetwork
socket.create_connection = socket.getaddrinfo = no_network

from pathlib import Path
from ledger.proof.facts_file import parse_facts
from ledger.proof.verifier import Expectation, verify

bundle, facts, at, consumer, nonce = sys.argv[1:]
report = verify(
    Path(bundle).read_bytes(),
    parse_facts(Path(facts).read_bytes()),
    int(at),
    Expectation(consumer=consumer, nonce=nonce),
)
loaded = [name for name in {REFUSED!r} if name in sys.modules]
print(json.dumps({{"report": report.to_dict(), "loaded": loaded}}))
"""


def offline(folder: Path, made: Made, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    bundle, facts = folder / "bundle.json", folder / "facts.json"
    bundle.write_bytes(made.bundle.to_bytes())
    facts.write_bytes(made.facts.to_bytes())
    arguments = [sys.executable, "-c", program, str(bundle), str(facts), str(AT), BANK.id, NONCE]
    return subprocess.run(arguments, capture_output=True, text=True, cwd=PROJECT, timeout=120)
