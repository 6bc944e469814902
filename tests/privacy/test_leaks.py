"""After a whole pilot, no file, answer, log line, process argument or temporary file contains a subject's name, ID
number or phone number, or a secret of a session.

The providers' own files are excluded by name. There are no metrics to search: a test checks that the API has no
metrics endpoint.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from fastapi.testclient import TestClient
from httpx import Response

from api.app import create_app
from ledger.domain.parties import PartyKind, Role
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, open_ledger
from ledger.parties.access.callers import Scope
from ledger.parties.newcomers import NewParty
from ledger.provenance.readings import How
from ledger.usage.holdings.filter import HoldingsFilter
from tests.support.actors.signing_in import HERE, token_of
from tests.support.machine.file_contents import checkpoint
from tests.support.personal_text import NEWCOMER, Needles, forms_of

# Files on the providers' own machines (data sources and answers); the ledger's folder does not have them.
PROVIDERS = Path("demo-out") / "providers"
RECORDS = {".csv", ".db", ".db-wal", ".parquet"}
PERSONAL = ("name", "id_number", "phone")
ACCESS = ("sign_in_nonce", "signed_in", "api_key", "enrolment", "reading")


@dataclass(frozen=True)
class Searched:
    """A demonstration's folder and API answers, in which tests search, and the texts to search for."""

    folder: Path
    subjects: frozenset[str]
    needles: Needles
    answers: Mapping[str, Response]
    said: bytes
    # The secrets that were issued: tokens, keys and codes.
    secrets: frozenset[str]

    def files(self) -> list[Path]:
        """All files in the folder except the providers' own files."""
        return [path for path in sorted(self.folder.rglob("*")) if path.is_file() and not self.is_record(path)]

    def is_record(self, path: Path) -> bool:
        return self.folder / PROVIDERS in path.parents and path.suffix in RECORDS


@pytest.fixture(scope="module")
def searched(demo: Path) -> Iterator[Searched]:
    with open_ledger(Settings(home=demo / "var")) as ledger:
        subjects = subjects_of(ledger) | recorded(demo / PROVIDERS) | set(NEWCOMER.values())
        with listening() as heard:
            answers = provoked(ledger, sorted(subjects))
            secrets = given_access(ledger)
        checkpoint(demo / "var" / "ledger.db")
        said = heard.getvalue().encode()
        yield Searched(demo, frozenset(subjects), Needles(subjects), answers, said, frozenset(secrets))


def given_access(ledger: Ledger) -> set[str]:
    """Create a session, an API key, an enrolment code and a recorded reading; return the secrets that were issued."""
    (certificate,) = ledger.usage.holdings.page(HoldingsFilter(party=ledger.installation.operator), None, 1)
    subject = certificate.certificate.subject
    token = token_of(ledger, subject)
    caller = ledger.callers.of(token)
    key = ledger.machine_keys.new(caller, "machine", [*Scope], ledger.clock() + 86_400).key
    ledger.callers.of(key)
    ledger.readings.note(caller, How.BUNDLE, certificate.certificate.certificate_no, subject, ["years_covered"])
    newcomer = NewParty(PartyKind.PERSON, NEWCOMER["name"], NEWCOMER["identifier"], "440802", "")
    (row,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer])
    code = ledger.parties.enrolments.issue(ledger.actor(ledger.installation.authority_party), row.id).code
    nonce = ledger.sessions.nonce(row.id, HERE).nonce
    ledger.flush()
    return {token, key, code, nonce}


def subjects_of(ledger: Ledger) -> set[str]:
    """Return name and identifier of every party whose only role is subject."""
    found: set[str] = set()
    after = None
    while rows := ledger.parties.register.page(after, 500):
        for row in rows:
            if row.roles == (Role.SUBJECT,):
                found.update(ledger.parties.register.identity(row.id).values())
        after = rows[-1].id
    return found


def recorded(folder: Path) -> set[str]:
    """Return names, ID numbers and phone numbers from the providers' files."""
    found: set[str] = set()
    for path in folder.glob("*/*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found.update(row[column] for row in csv.DictReader(file) for column in PERSONAL)
    for path in folder.glob("*/*.db"):
        with closing(sqlite3.connect(path)) as database:
            for row in database.execute(f"SELECT DISTINCT {', '.join(PERSONAL)} FROM records"):
                found.update(map(str, row))
    return found


@contextmanager
def listening() -> Iterator[io.StringIO]:
    """Collect all log lines of all loggers and levels."""
    heard = io.StringIO()
    before, root, handler = structlog.get_config(), logging.getLogger(), logging.StreamHandler(heard)
    level = root.level
    # Log lines of the test's HTTP client are ignored, because the ledger does not write them.
    handler.addFilter(lambda record: not record.name.startswith("httpx"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(heard), wrapper_class=structlog.BoundLogger)
    try:
        yield heard
    finally:
        structlog.configure(**before)
        root.removeHandler(handler)
        root.setLevel(level)


def provoked(ledger: Ledger, subjects: list[str]) -> dict[str, Response]:
    """Return the API's answers to invalid requests with personal text, and to public requests."""

    @contextmanager
    def already_open() -> Iterator[Ledger]:
        yield ledger

    own = ledger.installation
    keys = {part: token_of(ledger, party) for part, party in vars_of(own).items()}
    answers: dict[str, Response] = {}
    with TestClient(create_app(already_open), raise_server_exceptions=False) as client:
        for text in chosen(subjects):
            for name, ask in mistakes(text).items():
                for part, key in keys.items():
                    answers[f"{part}: {name}: {text}"] = ask(client, {"Authorization": f"Bearer {key}"})
            answers[f"nobody: key: {text}"] = client.get(
                "/v1/certificates", headers={"Authorization": f"Bearer {text}".encode()}
            )
        for path in ("/health", "/ready", "/metrics", "/openapi.json", "/v1/log/head", "/v1/scenarios"):
            answers[path] = client.get(path)
    return answers


def vars_of(own: object) -> dict[str, str]:
    return {"platform": own.operator, "authority": own.authority_party}  # type: ignore[attr-defined]


def chosen(subjects: list[str]) -> list[str]:
    """Return one text of each kind: a phone number, an ID number or USCC, a name."""
    kinds = {(text.isascii(), len(text)): text for text in subjects}
    return [*kinds.values()][:6]


Ask = Callable[[TestClient, dict[str, str]], Response]


def mistakes(text: str) -> dict[str, Ask]:
    """Return requests that contain the text in members where it does not belong."""
    party = {"kind": "person", "name": "某人", "identifier": "x", "region": "440802", "public_key": "02" + "11" * 32}
    paths = {
        "certificate": "/v1/certificates/{}",
        "presentations": "/v1/certificates/{}/presentations",
        "party": "/v1/parties/{}",
        "asset": "/v1/assets/{}",
        "scenario": "/v1/scenarios/{}",
        "request": "/v1/requests/{}",
        "consent": "/v1/authorizations/{}",
        "resource": "/v1/catalogue/resources/{}",
        "nothing there": "/v1/{}",
        "cursor": "/v1/certificates?cursor={}",
        "filter": "/v1/certificates?scenario={}&state={}",
    }
    bodies = {
        "wrong number": ("/v1/parties", {"parties": [party | {"identifier": text + "0"}]}),
        "wrong region": ("/v1/parties", {"parties": [party | {"region": text}]}),
        "wrong kind": ("/v1/parties", {"parties": [party | {"kind": text}]}),
        "unknown member": ("/v1/parties", {"parties": [party | {text: 1}]}),
        "text for a list": ("/v1/parties", {"parties": text}),
        "verify": ("/v1/verify", {"bundle": {"format": text, text: 1}, "nonce": text}),
        "number to verify": ("/v1/verify", {"certificate_no": text}),
        "presentation": ("/v1/presentations", {"bundle": {text: text}, "nonce": text}),
        "draft": ("/v1/requests/draft", {"scenario": text, "subject": text, "fields": [text]}),
        "consent": ("/v1/authorizations", {"entries": [{"type": text}]}),
        "scenario": ("/v1/scenarios/drafts", {"scenario": {"code": text, text: text}}),
    }
    asked: dict[str, Ask] = {
        f"GET {name}": lambda client, headers, path=path: client.get(path.replace("{}", quote(text)), headers=headers)
        for name, path in paths.items()
    }
    asked |= {
        f"POST {name}": lambda client, headers, path=path, body=body: client.post(path, json=body, headers=headers)
        for name, (path, body) in bodies.items()
    }
    asked["POST no JSON"] = lambda client, headers: client.post(
        "/v1/parties", content=f"{{{text}".encode(), headers=headers | {"Content-Type": "application/json"}
    )
    asked["POST key"] = lambda client, headers: client.post(
        "/v1/parties", json={"parties": [party]}, headers=headers | {"Idempotency-Key": quote(text)}
    )
    return asked


def test_the_pilot_has_subjects_whose_texts_can_be_searched_for(searched: Searched) -> None:
    assert len(searched.subjects) > 250
    assert all(len(forms_of(text)["UTF-8"]) >= 8 for text in searched.subjects)


def test_only_the_providers_files_are_excluded_from_the_search(searched: Searched) -> None:
    """The test also checks that each excluded file does contain personal text; otherwise it need not be excluded."""
    records = [path for path in searched.folder.rglob("*") if path.is_file() and searched.is_record(path)]
    for path in records:
        assert path.suffix in (".parquet", ".db-wal") or searched.needles.found_in(path.read_bytes()), path


def test_no_file_contains_personal_text(searched: Searched) -> None:
    files = searched.files()
    names = {path.name for path in files}
    assert {"ledger.db", "journal.jsonl", "summary.json", "demo.stdout", "demo.stderr"} <= names
    assert {"demo.arguments", "demo.temporary"} <= names
    found = {str(path.relative_to(searched.folder)): searched.needles.found_in(path.read_bytes()) for path in files}
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_the_search_covers_the_command_line_arguments_of_processes(searched: Searched) -> None:
    """The recorded arguments include those of the command and of the chain node that the command starts."""
    arguments = (searched.folder / "demo.arguments").read_bytes()
    assert b"pingzheng\0demo\0--home" in arguments
    assert b"node" in arguments


def test_sessions_and_readings_contain_no_names_and_no_secrets(searched: Searched) -> None:
    """Each table of sessions and readings has rows, so the search of the database really examines such rows."""
    with closing(sqlite3.connect(searched.folder / "var" / "ledger.db")) as database:
        rows = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ACCESS}
    assert min(rows.values()) > 0, rows
    secrets = Needles(searched.secrets)
    assert secrets.found_in(searched.said) == set()
    found = {path.name: secrets.found_in(path.read_bytes()) for path in searched.files()}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_files_with_personal_text_are_readable_by_their_owner_only(searched: Searched) -> None:
    """Only the ledger's database files and the providers' own files may contain personal text."""
    files = [path for path in (searched.folder / "var").iterdir() if path.name.startswith("ledger.db")]
    files += [path for path in searched.folder.rglob("*") if path.is_file() and searched.is_record(path)]
    assert len(files) > 10
    assert {str(path): oct(path.stat().st_mode) for path in files if path.stat().st_mode & 0o077} == {}


@pytest.mark.parametrize("asked", ["bash_complete", "complete_bash", "zsh_complete", "complete_zsh"])
def test_shell_completion_returns_no_data_of_a_ledger(searched: Searched, asked: str) -> None:
    """Only names of commands and options are completed. Where a party is typed, the shell offers files of the user."""
    words = "pingzheng party show --home var "
    asking = {"_PINGZHENG_COMPLETE": asked, "COMP_WORDS": words, "COMP_CWORD": "5", "_TYPER_COMPLETE_ARGS": words}
    program = str(Path(sys.executable).with_name("pingzheng"))
    done = subprocess.run(
        [program], cwd=searched.folder, env=os.environ | asking, capture_output=True, timeout=60, check=False
    )
    assert done.stdout.strip() in (b"", b"_files")
    assert len(done.stderr.splitlines()) <= 1


def test_the_ledgers_folder_is_readable_by_its_owner_only(searched: Searched) -> None:
    assert (searched.folder / "var").stat().st_mode & 0o077 == 0


def test_no_answer_of_the_api_contains_personal_text(searched: Searched) -> None:
    """The test searches headers and bodies of error answers, public pages, and answers about the service's health."""
    assert sum(answer.status_code >= 400 for answer in searched.answers.values()) > 100
    assert searched.answers["/health"].status_code == 200
    assert searched.answers["/metrics"].status_code == 404
    found = {
        name: texts
        for name, answer in searched.answers.items()
        if (texts := searched.needles.found_in(repr(answer.headers).encode() + b"\n" + answer.content))
    }
    assert found == {}


def test_no_log_line_contains_personal_text(searched: Searched) -> None:
    assert searched.said.count(b"\n") > 0
    assert searched.needles.found_in(searched.said) == set()


@pytest.mark.parametrize("form", forms_of("湛江"))
def test_the_search_finds_a_planted_personal_text(searched: Searched, tmp_path: Path, form: str) -> None:
    """A subject's text is put into the middle of a copy of a real file. The search finds the text in each form."""
    original = next(path for path in searched.files() if path.name == "journal.jsonl")
    copy = tmp_path / original.name
    shutil.copy(original, copy)
    raw, text = copy.read_bytes(), min(searched.subjects)
    middle = len(raw) // 2 + len(form)
    copy.write_bytes(raw[:middle] + b" " + forms_of(text)[form] + b" " + raw[middle:])
    assert text in {found for found, _ in searched.needles.found_in(copy.read_bytes())}


def test_the_search_finds_personal_text_in_the_database(searched: Searched, tmp_path: Path) -> None:
    copy, text = tmp_path / "ledger.db", max(searched.subjects)
    shutil.copy(searched.folder / "var" / "ledger.db", copy)
    with closing(sqlite3.connect(copy)) as database:
        database.execute("CREATE TABLE slip (content TEXT)")
        database.execute("INSERT INTO slip VALUES (?)", (json.dumps({"name": text}, ensure_ascii=False),))
        database.commit()
    checkpoint(copy)
    assert (text, "UTF-8") in searched.needles.found_in(copy.read_bytes())
