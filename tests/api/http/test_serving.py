"""The service as a separate process: hostile connections use little of its memory, and a signal ends it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.api.raw_http import DENSE, JSON, Wire, until

PINGZHENG = (sys.executable, "-c", "from ledger.cli.program import run; run()")
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Program:
    """A running `pingzheng serve`."""

    process: subprocess.Popen[bytes]
    port: int

    def wire(self) -> Wire:
        return Wire(self.port)

    @property
    def memory(self) -> int:
        """Return the resident memory of the process in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024

    def is_alive(self) -> bool:
        with self.wire() as wire:
            return wire.head("GET", "/health").answer().body == b'{"status":"ok"}'


class Programs:
    """Starts the service of one ledger. If a test has ended the service, it is started again."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._started: list[Program] = []

    def running(self) -> Program:
        if not self._started or self._started[-1].process.poll() is not None:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            command = [*PINGZHENG, "serve", "--home", str(self._home), "--port", str(port)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self._started.append(Program(process, port))
            until(lambda: listens(port) or process.poll() is not None)
        return self._started[-1]

    def end(self) -> None:
        for program in self._started:
            program.process.terminate()
            program.process.wait()


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    home = tmp_path_factory.mktemp("serving") / "home"
    subprocess.run([*PINGZHENG, "init", "--home", str(home)], check=True, capture_output=True)
    programs = Programs(home)
    try:
        yield programs
    finally:
        programs.end()


@pytest.fixture
def program(programs: Programs) -> Program:
    return programs.running()


def listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_large_bodies_without_a_token_use_little_memory_and_block_no_other_call(program: Program) -> None:
    assert program.is_alive()
    before = program.memory
    wires = [program.wire() for _ in range(10)]
    for wire in wires:
        wire.head("POST", "/v1/sessions", content_length=len(DENSE), **JSON).send(DENSE[:200_000])
    assert program.is_alive()
    assert {wire.answer().status for wire in wires} == {413}
    for wire in wires:
        wire.close()
    assert program.memory - before < 16 * MEGABYTE


def test_many_slow_connections_use_little_memory(program: Program) -> None:
    assert program.is_alive()
    before = program.memory
    wires = [program.wire() for _ in range(150)]
    for wire in wires:
        wire.head("POST", "/v1/sessions", content_length=16_000, **JSON).send(b"x" * 15_000)
    assert program.is_alive()
    assert program.memory - before < 32 * MEGABYTE
    for wire in wires:
        wire.close()


def test_the_health_route_answers_despite_a_thousand_open_connections(program: Program) -> None:
    """More connections are opened than the limit allows, so the service closes the oldest idle connections."""
    wires = [program.wire().send(b"GET /v1/ledger HTTP/1.1\r\n") for _ in range(1000)]
    assert program.is_alive()
    with program.wire() as wire:
        assert wire.head("GET", "/v1/ledger").answer().status == 200
    for wire in wires:
        wire.close()


def test_the_service_ends_on_request_despite_an_open_connection(program: Program) -> None:
    with program.wire() as wire:
        wire.send(b"GET /")
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(60) is not None
