"""Examine each part of an installation separately, for ``pingzheng doctor``. Nothing is changed.

Opening a ledger fails at the first damaged part, and reports only that part. The doctor examines all parts. If no
program runs the local chain, the doctor starts a node on a copy of the journal.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import func, select

from ledger.chain.contracts.creation import check_creation
from ledger.chain.contracts.deployment import Deployment
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.reading.memory import load_seen, require_contained
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.client import ChainClient
from ledger.domain.findings import Finding
from ledger.errors import Misconfigured, PingzhengError
from ledger.index.audit import asset_heads, audit_assets
from ledger.index.tables import CURSOR
from ledger.installation.examining import (
    Part,
    access,
    as_finding,
    damaged_pages,
    index_tables_missing,
    is_held,
    version,
    with_contents,
)
from ledger.installation.home import (
    read_installation,
    require_deployment_unchanged,
    require_files,
    require_joined_files,
    require_made,
)
from ledger.installation.local_chain import LocalClock
from ledger.installation.membership import Membership
from ledger.installation.recovery.adopting import lost_finding
from ledger.installation.recovery.archiving import BEHIND, Archiving, remembered_folder
from ledger.installation.recovery.drafts import drafts_left
from ledger.installation.settings import Settings
from ledger.installation.setup import OPERATOR_NO
from ledger.installation.tables import METADATA
from ledger.log.coherence import Coherence
from ledger.parties.custody import Custody, SecretFile
from ledger.parties.offices import COUNT, FIRST
from ledger.privacy.key_providers import local_keys
from ledger.provenance.record_audit import audit_records
from ledger.store.database import (
    Database,
    file_of,
    open_engine,
    require_contents,
    require_readable,
    require_tables,
)
from ledger.store.entry_audit import audit
from ledger.store.identity import require_ledger
from ledger.store.sealing import CLOSED, LOST, KeyProvider, closed_texts
from ledger.store.tables import Sealed

LOW_BYTES: Final = 200 * 1024 * 1024
# A finding with this code is shown, but is no problem, because the operator accepted the loss of these batches.
REMARKED: Final = "BATCH_LOST"
# Secret files: a person who can read them can act for the parties, or decrypt sealed texts.
_PRIVATE: Final = ("keys", "offices", "ledger.db", "joined.json", "session.json")


class Doctor:
    """Examines the installation in ``settings.home``; raises the errors of ``require_made`` if there is no
    installation.
    """

    def __init__(self, settings: Settings) -> None:
        require_made(settings.home)
        self._settings = settings
        self._home = settings.home
        self._joined: Membership | None = None
        self._database: Database | None = None
        self._reader: ChainReader | None = None
        self._stack = ExitStack()

    def examine(self) -> list[Part]:
        """Examine every part. A part that depends on other parts is examined after those parts."""
        with self._stack:
            return [
                self._part("files", self._files),
                self._part("permissions", self._permissions),
                self._part("keys", self._keys),
                self._part("custody", self._custody),
                self._part("disk", self._disk),
                self._part("database", self._pages),
                self._part("sealing", self._sealing, database=self._database),
                self._part("entries", self._entries, database=self._database),
                self._part("chain", self._chain),
                self._part("coherence", self._coherence, database=self._database, chain=self._reader),
                self._part("memory", self._memory, chain=self._reader),
                self._part("index", self._index, database=self._database, chain=self._reader),
                self._part("archive", self._archive, database=self._database, chain=self._reader),
            ]

    def _part(self, name: str, look: Callable[..., Iterator[Finding]], **needed: object) -> Part:
        if missing := next((each for each, there in needed.items() if there is None), None):
            return Part(name, skipped=missing)
        findings: list[Finding] = []
        try:
            findings += look(**needed)
        except PingzhengError as error:
            findings.append(as_finding(error))
        except OSError as error:
            refused = Misconfigured("FILE_REFUSED", f"The system reports: {error.strerror}.", where=str(error.filename))
            findings.append(as_finding(refused))
        except Exception as error:
            # An unexpected exception in one part must not hide the results of the other parts.
            text = f"The examination of this part ended with {type(error).__name__}."
            findings.append(
                Finding("CHECK_FAILED", text, name, "Report this error; PINGZHENG_LOG=debug shows details.")
            )
        remarks = tuple(each for each in findings if each.code == REMARKED)
        return Part(name, tuple(each for each in findings if each.code != REMARKED), remarks=remarks)

    def _files(self) -> Iterator[Finding]:
        yield from drafts_left(self._home)
        self._joined = Membership.of(self._home)
        (require_files if self._joined is None else require_joined_files)(self._settings)
        read_installation(self._home)
        require_deployment_unchanged(self._home)
        Deployment.load(self._home / "deployment.json")

    def _permissions(self) -> Iterator[Finding]:
        for path in (each for name in _PRIVATE for each in with_contents(self._home / name)):
            mode = path.stat().st_mode
            if mode & 0o077 and path.is_file():
                yield Finding(
                    "FILE_READABLE_BY_OTHERS",
                    "Other users of this machine can read a file that only its owner may read.",
                    str(path),
                    f"Run `chmod 600 {path}`.",
                    {"mode": f"{mode & 0o777:o}"},
                )
        for path in (self._home, *(each for name in _PRIVATE for each in with_contents(self._home / name))):
            if not os.access(path, os.R_OK | os.W_OK):
                yield Finding(
                    "FILE_READ_ONLY",
                    "This user cannot read and write the ledger's folder or a file in it.",
                    str(path),
                    "Make the user that runs this program the owner of the folder and its files, on a writable disk.",
                )
                return

    def _keys(self) -> Iterator[Finding]:
        if self._joined is not None:
            return
        SecretFile(self._settings.keys_folder / "lookup.key").read()
        provider = self._provider()
        # Wrapping a dummy key shows that the current key exists and is usable, without reading any text.
        provider.wrap(bytes(32), provider.current)
        yield from ()

    def _custody(self) -> Iterator[Finding]:
        folders = [self._settings.keys_folder, *(self._home / "offices" / str(FIRST + each) for each in range(COUNT))]
        for folder in folders:
            try:
                Custody(folder / "accounts.json")
            except PingzhengError as error:
                yield as_finding(error)

    def _disk(self) -> Iterator[Finding]:
        free = shutil.disk_usage(self._home).free
        if free < LOW_BYTES:
            yield Finding(
                "DISK_LOW",
                f"The ledger's disk has only {free // 1024 // 1024} MiB of free space.",
                str(self._home),
                "Free space before the disk is full.",
                {"free_bytes": free},
            )

    def _pages(self) -> Iterator[Finding]:
        file = file_of(self._settings.database)
        if file is not None:
            require_readable(file)
        url = (
            self._settings.database
            if file is None
            else f"sqlite:///file:{quote(str(file.absolute()))}?{access(file)}&uri=true"
        )
        engine = open_engine(url)
        self._stack.callback(engine.dispose)
        require_contents(engine)
        if file is not None:
            with engine.connect().execution_options(read_only=True) as connection:
                wrong = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(20)") if row[0] != "ok"]
            if wrong:
                yield damaged_pages(file, wrong)
                return
        yield from version(engine)
        require_tables(engine, METADATA)
        self._database = Database(engine)

    def _sealing(self, database: Database) -> Iterator[Finding]:
        """Open one text for each wrapping key, to find a key with the right id but the wrong bytes. Also report the
        texts that, since a restore, cannot be read until the erasures are confirmed.
        """
        if self._joined is not None:
            return
        provider = self._provider()
        one = select(Sealed.key_id, func.min(Sealed.id)).where(Sealed.wrapped_key.is_not(None)).group_by(Sealed.key_id)
        with database.read() as session:
            rows = [session.get_one(Sealed, record) for _, record in session.execute(one)]
            waiting = closed_texts(session)
        for row in rows:
            if row.key_id == LOST or row.wrapped_key is None:
                continue
            try:
                provider.unwrap(row.wrapped_key, row.key_id.removeprefix(CLOSED))
            except PingzhengError as error:
                yield as_finding(error)
        if waiting is not None:
            yield waiting

    def _entries(self, database: Database) -> Iterator[Finding]:
        with database.read() as session:
            # A row is compared with its log entry, so rows can only be checked if the log entries are intact.
            yield from list(audit(session)) or audit_records(session)
            if lost := lost_finding(session):
                yield lost

    def _chain(self) -> Iterator[Finding]:
        deployment = Deployment.load(self._home / "deployment.json")
        url = self._settings.rpc_url or (self._joined.rpc_url if self._joined else None)
        client = ChainClient.at(url or self._stack.enter_context(self._local_node()), deployment).check()
        check_creation(client.connection, deployment)
        self._reader = ChainReader(client)
        oldest, age = self._settings.oldest_head, self._reader.head_age(self._clock())
        if url is not None and oldest and age > oldest:
            yield Finding(
                "CHAIN_HEAD_OLD",
                f"The newest block is {age} seconds old.",
                "chain",
                "Check that the node is synchronised and that the network produces blocks.",
                {"head_age": age},
            )

    @contextmanager
    def _local_node(self) -> Iterator[str]:
        """Yield the URL of the running node, or of a node that is started on a copy of the journal."""
        folder = self._home / "chain"
        if is_held(folder / "owner.lock"):
            yield str(json.loads((folder / "node.json").read_bytes())["url"])
            return
        with tempfile.TemporaryDirectory(prefix="pingzheng-doctor-") as place:
            for name in ("journal.jsonl", "clock.json"):
                if (folder / name).exists():
                    shutil.copy(folder / name, place)
            ahead = LocalClock(self._settings).ahead
            chain_id = self._settings.local_chain_id
            with LocalNode(Path(place), program=JOURNAL, chain_id=chain_id, create=False, ahead=lambda: ahead) as node:
                yield node.url

    def _coherence(self, database: Database, chain: ChainReader) -> Iterator[Finding]:
        with database.read() as session:
            require_ledger(session, chain.deployment.ledger)
        issuer, local = self._issuer, self._settings.rpc_url is None and self._joined is None
        coherence = Coherence(database, chain, issuer, self._clock, local=local)
        found = coherence.findings()
        yield from found
        if not found:
            yield from coherence.batches_differing()

    def _memory(self, chain: ChainReader) -> Iterator[Finding]:
        """Raise ``ChainUnavailable`` if the chain no longer contains the blocks that earlier verifications read."""
        seen = load_seen(self._home / "seen.json")
        if seen is not None:
            require_contained(chain, seen)
        yield from ()

    def _index(self, database: Database, chain: ChainReader) -> Iterator[Finding]:
        if missing := index_tables_missing(database.engine):
            yield missing
            return
        with database.read() as session:
            cursor = session.execute(select(CURSOR.c.block_number)).scalar_one_or_none()
            # If the chain is behind the index, the two cannot be compared; the part `coherence` reports this problem.
            if cursor is None or cursor > chain.block_number():
                return
            heads = asset_heads(session.connection())
        found = audit_assets(heads, chain, cursor)
        if not found.agrees:
            yield Finding(
                "INDEX_DIFFERS",
                "The assets in the index differ from the assets in the contracts.",
                f"block {found.block}",
                "Rebuild the index from the chain: `pingzheng index rebuild`.",
                {"assets": found.assets, "assets_on_chain": found.assets_on_chain, "differing": list(found.differing)},
            )

    def _archive(self, database: Database, chain: ChainReader) -> Iterator[Finding]:
        if self._joined is not None or (self._settings.archive or remembered_folder(self._home)) is None:
            return
        archiving = Archiving(self._settings, database, chain.deployment.ledger, self._clock)
        archiving.require()
        state = archiving.check() or {}
        if state.get("code") == BEHIND:
            yield Finding(
                BEHIND,
                f"The archive lacks {state['behind']} batches of the database.",
                state["folder"],
                "Run `pingzheng log anchor`, or start the service: both fill the archive.",
                {"behind": state["behind"]},
            )
        if state.get("same_disk"):
            yield Finding(
                "ARCHIVE_ON_SAME_DISK",
                "The archive is on the same disk as the ledger: the loss of the disk would destroy both.",
                state["folder"],
                "Set PINGZHENG_ARCHIVE to a folder on another disk.",
            )

    @property
    def _issuer(self) -> int | None:
        return OPERATOR_NO if self._joined is None else None

    def _clock(self) -> int:
        return LocalClock(self._settings)()

    def _provider(self) -> KeyProvider:
        return local_keys(self._settings.key_provider, self._settings.keys_folder, os.environ)
