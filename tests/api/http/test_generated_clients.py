"""Third-party tools generate Python and TypeScript clients from docs/openapi.json; the clients call a real service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.parties.custody import new_key, signer_of_key
from ledger.proof.jws import Signer, encode_base64url, public_jwk
from ledger.proof.sign_in import Place, sign_in
from ledger.proof.suites.suite import ES256
from tests.api.http.openapi_calls import all_calls
from tests.support.api.parts import Api, handed_in
from tests.support.ledgers.served import served
from tests.support.places import OPENAPI, PROJECT

CONFIG = PROJECT / "docs" / "clients" / "openapi-python-client.yml"
SOURCES = Path(__file__).parent / "clients"
MODULES = PROJECT / "node_modules"
PYTHON_TOOLS = PROJECT / ".venv-clients" / "bin"
CALLS = all_calls()


@dataclass(frozen=True)
class Integrator:
    """A party with a P-256 key, and a broker with a mandate from this party."""

    url: str
    place: Place
    party: str
    broker: str
    key: str
    now: int

    @property
    def signer(self) -> Signer:
        return signer_of_key(self.key)


@pytest.fixture(scope="module")
def service(api: Api) -> Iterator[str]:
    with served(api.pilot.ledger) as url:
        yield url


@pytest.fixture
def integrator(api: Api, service: str, request: pytest.FixtureRequest) -> Integrator:
    key, ledger = new_key(ES256), api.pilot.ledger
    uscc = synthetic_uscc("440800", 9800 + len(request.node.name))
    newcomer = {"kind": "bank", "name": "湛江集成银行（演示）", "identifier": uscc, "region": "440800"}
    added = api.post("authority", "/v1/parties", {"parties": [newcomer | handed_in(api, signer_of_key(key))]})
    assert added.status_code == 201, added.text
    place = Place.of(ledger.sessions.origin, ledger.reader.chain)
    broker = api.pilot.party(PartyKind.BROKER, Role.BROKER)
    return Integrator(service, place, added.json()["parties"][0]["id"], broker, key, ledger.clock())


def ran(*command: str | Path, cwd: Path, **environment: str) -> str:
    path = f"{PYTHON_TOOLS}:{PROJECT / '.venv' / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={"PATH": path, "HOME": str(cwd)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def sources(folder: Path, kind: str) -> None:
    """Copy a client's own source files into its build folder."""
    for source in (*SOURCES.iterdir(), *(SOURCES / kind).iterdir()):
        if source.is_file():
            shutil.copy(source, folder)
    (folder / "node_modules").symlink_to(MODULES)


def settings_of(integrator: Integrator) -> str:
    """Return the environment variables for a TypeScript client."""
    signer, private = integrator.signer, bytes.fromhex(integrator.key.rpartition(":")[2])
    settings = {
        "url": integrator.url,
        "origin": integrator.place.origin,
        "chainId": integrator.place.chain_id,
        "ledger": integrator.place.ledger,
        "party": integrator.party,
        "broker": integrator.broker,
        "kid": signer.kid,
        "key": public_jwk(signer.public_key).to_dict() | {"d": encode_base64url(private)},
        "now": integrator.now,
    }
    return json.dumps(settings)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Generate the client's Python package, and make the package importable."""
    folder = tmp_path_factory.mktemp("python")
    name = "generated_client"
    making = (PYTHON_TOOLS / "openapi-python-client", "generate", "--fail-on-warning", "--path", OPENAPI)
    ran(*making, "--config", CONFIG, "--meta", "none", "--output-path", folder / name, cwd=folder)
    sys.path.insert(0, str(folder))
    yield name
    sys.path.remove(str(folder))


def test_a_generated_python_client_signs_in_and_reads_and_acts(package: str, integrator: Integrator) -> None:
    client, models = import_module(f"{package}.client"), import_module(f"{package}.models")

    def call(module: str, caller: Any, *arguments: Any, **members: Any) -> Any:
        return import_module(f"{package}.api.{module}").sync_detailed(*arguments, client=caller, **members)

    visitor, party = client.Client(base_url=integrator.url), integrator.party
    nonce = call("sessions.sessions_nonce", visitor, body=models.NonceIn(party=party)).parsed.nonce
    signed = sign_in(integrator.place, party, nonce, integrator.signer, integrator.now + 300)
    session = call("sessions.sessions_begin", visitor, body=models.SignInIn(statement=signed)).parsed
    assert (session.party, session.account) == (party, integrator.signer.kid)
    owner = client.AuthenticatedClient(base_url=integrator.url, token=session.token)
    wanted = models.MachineKeyIn(name="reports", scopes=[models.Scope.READ], expires_at=integrator.now + 86_400)
    key = call("api_keys.machine_keys_new", owner, body=wanted).parsed
    machine = client.AuthenticatedClient(base_url=integrator.url, token=key.key)
    assert call("parties.parties_party", machine, party).parsed.account == integrator.signer.kid
    mandate = models.MandateIn(broker=integrator.broker, valid_to=integrator.now + 86_400)
    giving = "parties.parties_give_mandate"
    assert call(giving, machine, party, body=mandate).parsed.code == "SCOPE_EXCEEDED"
    assert call(giving, owner, party, body=mandate).parsed.broker == integrator.broker
    assert call("sessions.sessions_sign_out", owner).status_code == 204
    assert call("sessions.sessions_sessions", owner).parsed.code == "SESSION_UNKNOWN"


def test_a_generated_typescript_client_signs_in_and_reads_and_acts(tmp_path: Path, integrator: Integrator) -> None:
    """The TypeScript compiler checks the client. The client signs with WebCrypto."""
    sources(tmp_path, "fetching")
    ran(MODULES / ".bin" / "openapi-typescript", OPENAPI, "-o", "schema.d.ts", cwd=tmp_path)
    ran(MODULES / ".bin" / "tsc", cwd=tmp_path)
    result = json.loads(ran("node", "client.mjs", cwd=tmp_path, SETTINGS=settings_of(integrator)))
    assert result == {
        "party": integrator.party,
        "read": integrator.signer.kid,
        "refused": "SCOPE_EXCEEDED",
        "acted": integrator.broker,
        "out": 204,
        "after": "SESSION_UNKNOWN",
    }


def test_a_generated_python_client_calls_every_operation(package: str, integrator: Integrator) -> None:
    """An answer that the schema does not declare fails the test, because the client raises an error for it."""
    client, models = import_module(f"{package}.client"), import_module(f"{package}.models")
    visitor, party = client.Client(base_url=integrator.url), integrator.party
    nonce = function(package, "sessions", "sessions_nonce")(client=visitor, body=models.NonceIn(party=party))
    statement = sign_in(integrator.place, party, nonce.parsed.nonce, integrator.signer, integrator.now + 300)
    begun = function(package, "sessions", "sessions_begin")(client=visitor, body=models.SignInIn(statement=statement))
    owner = client.AuthenticatedClient(
        base_url=integrator.url, token=begun.parsed.token, raise_on_unexpected_status=True
    )
    for call in CALLS:
        operation = function(package, call.tag, call.name)
        named = {python_name(name): value for name, value in (call.path | call.query).items()}
        if call.body is not None:
            named["body"] = body_of(operation, call.body)
        answer = operation(client=owner, **named)
        assert int(answer.status_code) in call.documented and answer.status_code < 500, (call.name, answer)
        assert answer.parsed is not None or answer.status_code == 204, (call.name, answer)


def function(package: str, tag: str, name: str) -> Any:
    return import_module(f"{package}.api.{tag.lower().replace(' ', '_')}.{name}").sync_detailed


def python_name(name: str) -> str:
    return f"{name}_" if name in {"class", "from"} else name.replace("-", "_").lower()


def body_of(operation: Any, result: Any) -> Any:
    """Return the body as an object of the client's type."""
    wanted = get_type_hints(operation)["body"]
    kinds = [kind for kind in (get_args(wanted) or (wanted,)) if hasattr(kind, "from_dict")]
    return kinds[0].from_dict(result)


def test_a_client_generated_by_hey_api_compiles_and_calls_every_operation(
    tmp_path: Path, integrator: Integrator
) -> None:
    sources(tmp_path, "generated")
    shutil.copy(OPENAPI, tmp_path)
    calls = [
        {"name": call.camel_case, "path": call.path, "query": call.query}
        | ({} if call.body is None else {"body": call.body})
        for call in CALLS
    ]
    (tmp_path / "calls.json").write_text(json.dumps(calls), "utf-8")
    ran(MODULES / ".bin" / "openapi-ts", cwd=tmp_path)
    ran(MODULES / ".bin" / "tsc", cwd=tmp_path)
    result = json.loads(ran("node", "client.mjs", cwd=tmp_path, SETTINGS=settings_of(integrator)))
    assert result["account"] == integrator.signer.kid
    for call in CALLS:
        status = result["statuses"][call.camel_case]
        assert status in call.documented and status < 500, (call.name, status)
