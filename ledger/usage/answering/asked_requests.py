"""The requests that a set of authorizations answers, read from the database with a few queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ledger.domain.digests import hex_of
from ledger.domain.lifecycle import REQUEST
from ledger.errors import Conflict, InvalidInput, NotFound
from ledger.parties.tables import Party
from ledger.store import log as log_store
from ledger.store.sealing import Sealer
from ledger.store.sets import change_rows, matching
from ledger.usage.expiry import require_not_expired
from ledger.usage.tables import AccessRequest, Authorization


class AskedRequests:
    """The requests that a set of authorizations names, with the signed statement and the note of each request.

    The names of the consumers and providers are read too.
    """

    def __init__(self, session: Session, sealer: Sealer, entries: Collection[Mapping[str, Any]]) -> None:
        """Read the requests that the authorizations in ``entries`` name.

        If a request is missing, or a note or name was erased, no error is raised here, but when that request, note or
        name is looked up.
        """
        self._session = session
        self._sealer = sealer
        self._opened: list[str] = []
        self._named = {hex_of(entry["request"]) for entry in entries}
        self.read_states(session)
        self._statements = log_store.statements(session, self._requests)
        self._parties = {entry[role] for entry in entries for role in ("consumer", "provider")}

    def read_states(self, session: Session) -> None:
        """Read the states of the requests, and which of their sources have an answer. The answers that
        ``require_unanswered`` remembered are forgotten.

        Call this method again in the write transaction, because states and answers can change after the first reading.
        """
        columns = AccessRequest.id, AccessRequest.digest, AccessRequest.state, AccessRequest.expires_at
        found = matching(session, select(*columns, AccessRequest.sealed_id), AccessRequest.digest, self._named)
        self._requests: dict[str, Any] = {row.digest: row for row in found}
        requests = {row.id for row in self._requests.values()}
        answers = Authorization.request_id, Authorization.source
        given = matching(session, select(*answers), Authorization.request_id, requests)
        self._answered = {(row.request_id, row.source) for row in given}

    def require_texts(self, session: Session) -> None:
        """Raise ``NotFound`` or ``Conflict`` if a note or a name that was read for these requests has been erased
        meanwhile, or has become unreadable after a restore.
        """
        self._sealer.require_readable(session, self._opened)

    def request(self, entry: Mapping[str, Any]) -> Any:
        """Return the row of the request that the authorization ``entry`` answers; raises ``NotFound``
        ``REQUEST_UNKNOWN``.

        The row has the columns id, digest, state, ``expires_at`` and ``sealed_id``.
        """
        found = self._requests.get(hex_of(entry["request"]))
        if found is None:
            raise NotFound("REQUEST_UNKNOWN", "The authorization names a request that is not in this ledger.")
        return found

    def statement(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the signed request that the authorization answers."""
        return self._statements[self.request(entry).digest]

    def note(self, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the decrypted note of the request that the authorization answers."""
        note: dict[str, str] = self._notes[self.request(entry).sealed_id]
        return note

    def name(self, party: str) -> str:
        """Return the decrypted name of a consumer or provider, given the party's id."""
        return self._names[party]

    @cached_property
    def _notes(self) -> dict[str, Any]:
        return self._open(row.sealed_id for row in self._requests.values())

    @cached_property
    def _names(self) -> dict[str, str]:
        named = list(matching(self._session, select(Party.id, Party.sealed_id), Party.id, self._parties))
        opened = self._open(row.sealed_id for row in named)
        return {row.id: opened[row.sealed_id]["name"] for row in named}

    def _open(self, records: Iterable[str]) -> dict[str, Any]:
        opened = self._sealer.open_all(self._session, records)
        self._opened += opened
        return opened

    def require_unanswered(self, entry: Mapping[str, Any], now: int) -> None:
        """Raise an error unless the request waits for an answer and the authorization's source has no answer yet.

        After this call, the source counts as answered. Raises ``Conflict`` ``REQUEST_EXPIRED``, ``REQUEST_ANSWERED``,
        ``InvalidInput`` ``AUTHORIZATION_TWICE``.
        """
        request = self.request(entry)
        require_not_expired(request, now)
        if request.state not in ("sent", "seen"):
            raise Conflict("REQUEST_ANSWERED", f"The request is {request.state}.", where=f"request {request.id}")
        answered = request.id, entry["source"]
        if answered in self._answered:
            raise InvalidInput(
                "AUTHORIZATION_TWICE",
                "Two statements are for the same source of the request.",
                where=entry["id"],
                hint="Submit one statement for each source.",
            )
        self._answered.add(answered)

    def answer(self, session: Session) -> None:
        """Mark all requests as seen and authorised.

        The subject has seen the notices, because the signed authorizations contain the digests of the notices.
        """
        by_state: dict[str, list[str]] = {}
        for row in self._requests.values():
            by_state.setdefault(row.state, []).append(row.id)
        for state, requests in by_state.items():
            moved = state
            for move in ("see", "authorise"):
                if move in REQUEST.moves_from(moved):
                    moved = REQUEST.next(moved, move)
            change_rows(session, update(AccessRequest).values(state=moved), AccessRequest.id, requests)
