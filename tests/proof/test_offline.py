"""The verifier needs a bundle and saved facts: no network, and none of the packages that a service needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proof.builder import Made, registration, usage
from tests.proof.cast import AT, BANK, NONCE

REPOSITORY = Path(__file__).parents[2]
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
    return subprocess.run(arguments, capture_output=True, text=True, cwd=REPOSITORY, timeout=120)


@pytest.mark.parametrize(
    "made",
    [usage(), registration(), usage().status(("revoked", "fraud", AT))],
    ids=["usage", "registration", "revoked"],
)
def test_a_saved_bundle_is_verified_offline(tmp_path: Path, made: Made) -> None:
    done = offline(tmp_path, made)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["loaded"] == []
    assert told["report"] == json.loads(json.dumps(made.verify().to_dict()))


@pytest.mark.parametrize(
    "line", ["import web3", "import socket; socket.socket()", "import ledger.chain.reading.reader"]
)
def test_the_program_is_really_cut_off(tmp_path: Path, line: str) -> None:
    done = offline(tmp_path, usage(), PROGRAM.replace("bundle, facts, at", f"{line}\nbundle, facts, at", 1))
    assert done.returncode != 0
    assert "not offline" in done.stderr or "no network" in done.stderr
