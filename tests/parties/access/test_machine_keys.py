"""Machine keys (API keys): scopes, owners, and what a thief of a machine key cannot do."""

from __future__ import annotations

import pytest

from ledger.domain.days import DAY
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound, PingzhengError
from ledger.installation.wiring import Ledger
from ledger.parties.access.callers import Caller, Callers, Scope
from ledger.parties.access.machine_keys import MAX_DAYS, MAX_KEYS, NewKey
from ledger.parties.access.tables import ApiKey
from tests.support.actors.pilots import Pilot
from tests.support.actors.signing_in import token_of
from tests.support.ledgers.waiting_ledger import fresh_key


@pytest.fixture
def firm(pilot: Pilot) -> str:
    """A new firm for each test; the installation keeps the firm's key."""
    return pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)


def session_of(ledger: Ledger, party: str) -> Caller:
    return ledger.callers.of(token_of(ledger, party))


def made(ledger: Ledger, party: str, *scopes: Scope, days: int = 30) -> NewKey:
    wanted = scopes or tuple(Scope)
    return ledger.machine_keys.new(session_of(ledger, party), "nightly run", wanted, ledger.clock() + days * DAY)


def reach(ledger: Ledger, key: str) -> str:
    """Return the party that the machine key signs in, or the error code if the key is refused."""
    try:
        return ledger.callers.of(key).party
    except PingzhengError as refusal:
        return refusal.code


def test_a_machine_key_can_be_made_and_listed_and_used_and_revoked(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    caller, new = session_of(ledger, firm), made(ledger, firm, Scope.READ)
    used = ledger.callers.of(new.key)
    assert (used.party, used.account, used.session, used.key) == (firm, caller.account, None, new.row.id)
    (row,) = ledger.machine_keys.listed(caller)
    assert row == new.row
    assert (row.name, row.scopes, row.last_used) == ("nightly run", (Scope.READ,), None)
    assert new.key not in str(row)
    ledger.machine_keys.revoke(caller, row.id)
    assert reach(ledger, new.key) == "API_KEY_UNKNOWN"
    assert ledger.machine_keys.listed(caller) == []


def test_the_day_of_a_machine_keys_last_use_is_written_in_the_background(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    new = made(ledger, firm)
    ledger.machine_keys.flush()
    for _ in range(3):
        ledger.callers.of(new.key)
    assert ledger.machine_keys.flush() == 1
    ledger.callers.of(new.key)
    assert ledger.machine_keys.flush() == 0
    (row,) = ledger.machine_keys.listed(session_of(ledger, firm))
    assert row.last_used is not None and len(row.last_used) == 10


def test_a_machine_key_is_limited_to_its_scopes(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    for scope in Scope:
        caller = ledger.callers.of(made(ledger, firm, scope).key)
        caller.require(scope)
        for other in set(Scope) - {scope}:
            with pytest.raises(Forbidden, match="SCOPE_EXCEEDED"):
                caller.require(other)


def test_a_stolen_machine_key_cannot_create_keys_or_sessions(pilot: Pilot, firm: str) -> None:
    """With the stolen key a thief also cannot list or revoke the party's other keys, or list or end its sessions."""
    ledger = pilot.ledger
    new = made(ledger, firm)
    thief = ledger.callers.of(new.key)
    for attempt in (
        lambda: ledger.machine_keys.new(thief, "mine", Scope, ledger.clock() + DAY),
        lambda: ledger.machine_keys.listed(thief),
        lambda: ledger.machine_keys.revoke(thief, new.row.id),
        lambda: ledger.sessions.listed(thief),
        lambda: ledger.sessions.end(thief, "current"),
    ):
        with pytest.raises(Forbidden, match="SESSION_REQUIRED"):
            attempt()
    assert len(ledger.machine_keys.listed(session_of(ledger, firm))) == 1


def test_a_party_cannot_list_or_revoke_the_machine_keys_of_another_party(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    new = made(ledger, firm)
    office = session_of(ledger, ledger.installation.authority_party)
    assert new.row.id not in {row.id for row in ledger.machine_keys.listed(office)}
    with pytest.raises(NotFound, match="API_KEY_NOT_FOUND"):
        ledger.machine_keys.revoke(office, new.row.id)
    assert reach(ledger, new.key) == firm


def test_a_machine_key_expires(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    new = made(ledger, firm, days=1)
    for ahead, known in ((DAY - 60, True), (DAY + 60, False)):
        then = Callers(ledger.database, lambda _key, _day: None, lambda ahead=ahead: ledger.clock() + ahead)
        assert (reach_by(then, new.key) == firm) is known


def reach_by(callers: Callers, key: str) -> str:
    try:
        return callers.of(key).party
    except PingzhengError as refusal:
        return refusal.code


@pytest.mark.parametrize("end", ["report", "recovery", "closing", "erasure", "rotation"])
def test_a_machine_key_ends_when_its_account_is_reported_or_replaced_or_its_party_is_closed_or_erased(
    pilot: Pilot, firm: str, end: str
) -> None:
    ledger = pilot.ledger
    new, office = made(ledger, firm), ledger.installation.authority_party
    assert reach(ledger, new.key) == firm
    if end == "report":
        ledger.parties.keys.report(ledger.actor(office), firm, new.row.account)
    elif end == "recovery":
        ledger.parties.keys.recover(ledger.actor(office), firm, fresh_key(ledger))
    elif end == "rotation":
        ledger.parties.keys.rotate(ledger.actor(firm), firm, fresh_key(ledger))
    elif end == "closing":
        ledger.parties.role_changes.set_status(ledger.actor(office), firm, "closed", "investigation")
    else:
        ledger.erasure.party(ledger.actor(firm), firm, "subject_request")
    assert reach(ledger, new.key) == "API_KEY_UNKNOWN"


def test_a_machine_key_stays_valid_when_another_account_of_its_party_is_reported(pilot: Pilot, firm: str) -> None:
    """A machine key depends only on the account that made it, not on the party's other accounts."""
    ledger = pilot.ledger
    further = fresh_key(ledger)
    ledger.parties.keys.bind(ledger.actor(firm), firm, further)
    new = made(ledger, firm)
    other = next(key.account for key in ledger.parties.keys.history(firm) if key.account != new.row.account)
    ledger.parties.keys.report(ledger.authority, firm, other)
    assert reach(ledger, new.key) == firm


def test_a_machine_key_is_refused_while_its_party_is_suspended(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    new, office = made(ledger, firm), ledger.installation.authority_party
    ledger.parties.role_changes.set_status(ledger.actor(office), firm, "suspended", "investigation")
    assert reach(ledger, new.key) == "PARTY_NOT_ACTIVE"
    ledger.parties.role_changes.set_status(ledger.actor(office), firm, "active", "lifted")
    assert reach(ledger, new.key) == firm


@pytest.mark.parametrize("key", ["", "pz_", "pz_" + "A" * 43, "pz_" + "A" * 10_000, "ps_" + "A" * 43, "é", "pz_\0"])
def test_an_unknown_machine_key_is_refused(ledger: Ledger, key: str) -> None:
    assert reach(ledger, key) in ("API_KEY_UNKNOWN", "SESSION_UNKNOWN")


def test_a_machine_key_is_not_accepted_as_a_cookie(pilot: Pilot, firm: str) -> None:
    new = made(pilot.ledger, firm)
    with pytest.raises(PingzhengError, match="SESSION_UNKNOWN"):
        pilot.ledger.callers.of(new.key, cookie=True)


@pytest.mark.parametrize(
    ("name", "scopes", "days", "code"),
    [
        ("", [Scope.READ], 1, "API_KEY_NAME"),
        ("x" * 65, [Scope.READ], 1, "API_KEY_NAME"),
        ("run", [], 1, "API_KEY_SCOPES"),
        ("run", [Scope.READ], 0, "API_KEY_PERIOD"),
        ("run", [Scope.READ], -1, "API_KEY_PERIOD"),
        ("run", [Scope.READ], MAX_DAYS + 1, "API_KEY_PERIOD"),
    ],
)
def test_a_machine_key_needs_a_name_and_a_scope_and_an_expiry(
    pilot: Pilot, firm: str, name: str, scopes: list[Scope], days: int, code: str
) -> None:
    ledger = pilot.ledger
    with pytest.raises(InvalidInput, match=code):
        ledger.machine_keys.new(session_of(ledger, firm), name, scopes, ledger.clock() + days * DAY)


def test_the_number_of_a_partys_machine_keys_is_limited(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    first = made(ledger, firm)
    with ledger.database.read() as session:
        columns = {
            column.name: getattr(session.get_one(ApiKey, first.row.id), column.name)
            for column in ApiKey.__table__.columns
        }
    with ledger.database.write() as session:
        for number in range(MAX_KEYS - 1):
            changed = {"id": f"{firm[:20]}{number:06}".upper(), "key_digest": f"{firm[:60]}{number:04}"}
            session.add(ApiKey(**columns | changed))
    with pytest.raises(Conflict, match="API_KEYS_TOO_MANY"):
        made(ledger, firm)
    ledger.machine_keys.revoke(session_of(ledger, firm), first.row.id)
    made(ledger, firm)
