"""For every role, runs the commands of the rows of the role matrix about proposals, holds and pauses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.chain.accounts import account_of_public_key
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call, PartyRegistration
from ledger.cli.main import app
from ledger.demo.data.cast import assemble
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role, party_id
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from ledger.parties.keys.possession import possession_of
from tests.reference.role_matrix import CELLS, COLUMNS, KINDS, ROLE_OF, name_of
from tests.support.actors.pilots import Pilot

ROWS = ("propose", "confirm", "veto", "report", "hold", "lift", "pause")
REFUSALS = {"PARTY_LACKS_ROLE", "PARTY_NO_VETO", "PARTY_UNKNOWN", "PARTY_SELF_GRANT", "LOG_NOT_HELD"}
FIRMS = [str(number) for number in range(1, 13)]
# A valid USCC that belongs to no party.
NOBODY = "91440803MA9X0002X5"


class Stage:
    """Runs commands while the test has a ledger open. Proposals have no waiting period. The installation keeps the key
    of a party of each role.
    """

    def __init__(self, pilot: Pilot) -> None:
        self.pilot, self.ledger = pilot, pilot.ledger
        self.authority = pilot.ledger.installation.authority_party
        self._firms = iter(FIRMS)
        self._shared: dict[str, str] = {}
        self.parties = {column: self.fresh(column) for column in COLUMNS if column != "U"}
        self.parties |= {"U": NOBODY}

    def fresh(self, column: str) -> str:
        """Return a new party with only the role of this column of the role matrix; for U, an unknown party."""
        if column == "U":
            return NOBODY
        return self.pilot.party(KINDS.get(column, PartyKind.OPERATOR), ROLE_OF[column])

    def run(self, *arguments: str) -> str | None:
        """Run a command, and return the code of its refusal, or None if it succeeded."""
        home = ("--home", str(self.ledger.settings.home), "--json")
        done = CliRunner().invoke(app, [*arguments, *home])
        assert done.exit_code in (0, 2), done.output
        return None if done.exit_code == 0 else str(json.loads(done.stdout)["error"])

    def proposed(self, call: Call, by: str | None = None) -> str:
        return str(self.ledger.proposals.propose(by or self.authority, call).no)

    def number(self, party: str) -> int:
        return self.ledger.reader.party_no(party)

    def once(self, name: str, make: Callable[[], str]) -> str:
        """Return the record with this name, and make it if it does not exist. Refused commands leave a record
        unchanged, so several commands can use the same record. The first word of a record's name is its action.
        """
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def used(self, action: str) -> None:
        """Forget the records of an action whose command succeeded, because the command has used them up."""
        self._shared = {name: record for name, record in self._shared.items() if name.split()[0] != action}

    def certificate(self) -> str:
        """Issue a certificate without a hold, and return its number."""
        return self.pilot.certificate(next(self._firms))

    def held(self, office: str) -> str:
        number = self.certificate()
        self.ledger.certificates.holds.hold(number, "court", office)
        return number


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with create_ledger(Settings(home=tmp_path_factory.mktemp("roles") / "var", delay=0)) as ledger:
        now = ledger.clock()
        pilot = Pilot(ledger, assemble(ledger, FIRMS))
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, ("S51",), now - 86_400, now + 10**9
        )
        yield Stage(pilot)


def propose(stage: Stage, who: str, own: bool) -> str | None:
    if own:
        return stage.run("party", "rotate", stage.fresh(who))
    (account,) = stage.ledger.custody.create()
    key = stage.ledger.custody.public_key(account)
    other = stage.once("propose bystander", lambda: stage.fresh("S"))
    return stage.run("party", "bind", other, "--public-key", key, "--by", stage.parties[who])


def confirm(stage: Stage, who: str, own: bool) -> str | None:
    """Confirm a proposal about a firm. If ``own`` is false, confirm a proposal about the authority A, which A itself
    may not confirm.
    """

    def waits() -> str:
        party = stage.parties["A"] if not own else stage.pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
        return stage.proposed(further_key(stage, party))

    return stage.run("keys", "confirm", stage.once(f"confirm {own}", waits), "--by", stage.parties[who])


def veto(stage: Stage, who: str, own: bool) -> str | None:
    about = who if own and who != "U" else "S" if who != "S" else "P"
    number = stage.once(f"veto {about}", lambda: stage.proposed(further_key(stage, stage.parties[about])))
    return stage.run("keys", "veto", number, "--by", stage.parties[who])


def report(stage: Stage, who: str, own: bool) -> str | None:
    party = stage.fresh(who if own and who != "U" else "S")
    account = stage.ledger.parties.register.get(party).account
    by = () if own and who != "U" else ("--by", stage.parties[who])
    return stage.run("keys", "report", party, account, *by)


def hold(stage: Stage, who: str, own: bool) -> str | None:
    number = stage.once("hold", stage.certificate)
    return stage.run("certificate", "hold", number, "--reason", "court", "--by", stage.parties[who])


def lift(stage: Stage, who: str, own: bool) -> str | None:
    """Lift a hold set by the caller's role (authority or supervisor); if ``own`` is false, a hold of the other role."""
    other = "V" if who == "A" else "A"
    holder = who if own and who in "AV" else other

    number = stage.once(f"lift {holder}", lambda: stage.held(stage.parties[holder]))
    return stage.run("certificate", "lift", number, "--by", stage.parties[who])


def pause(stage: Stage, who: str, own: bool) -> str | None:
    """Begin a pause; if ``own`` is false, end a pause that another party began."""
    by = stage.parties[who] if who == "U" else stage.fresh(who)
    if own:
        refusal = stage.run("pause", "start", "--by", by)
    else:
        stage.ledger.pauses.pause(stage.ledger.actor(stage.fresh("V")))
        refusal = stage.run("pause", "end", "--by", by)
    if stage.ledger.reader.paused_until():
        stage.ledger.pauses.end(stage.ledger.actor(stage.authority))
    return refusal


def further_key(stage: Stage, party: str) -> Call:
    (account,) = stage.ledger.custody.create()
    return calls.change_key(stage.number(party), account)


ACTS: dict[str, Callable[[Stage, str, bool], str | None]] = {
    "propose": propose,
    "confirm": confirm,
    "veto": veto,
    "report": report,
    "hold": hold,
    "lift": lift,
    "pause": pause,
}
# For each word in a cell: whether the command succeeds on the caller's own record, and whether it succeeds on another
# party's record. Any other word allows neither.
ALLOWED = {"o": (True, False), "o(registrations)": (True, False), "✓": (True, True), "start": (True, False)}
# For these actions, even ✓ does not allow the command on another party's record: no party may confirm a proposal about
# itself.
NEVER_ANOTHERS = {"confirm"}


@pytest.mark.parametrize(
    ("action", "column"),
    [
        pytest.param(action, column, id=f"{name_of(column)}: {action}: {CELLS[action][column]}")
        for action in ROWS
        for column in COLUMNS
    ],
)
def test_each_role_may_do_exactly_what_the_role_matrix_allows(stage: Stage, action: str, column: str) -> None:
    own, another = ALLOWED.get(CELLS[action][column], (False, False))
    for whose, done in ((True, own), (False, another and action not in NEVER_ANOTHERS)):
        refusal = ACTS[action](stage, column, whose)
        if done:
            assert refusal is None
            stage.used(action)
        else:
            assert refusal in REFUSALS


def test_a_supervisor_may_confirm_only_the_lifting_of_supervisors_holds(stage: Stage) -> None:
    """In the role matrix, a supervisor may confirm only the lifting of a supervisor's hold."""
    number = stage.certificate()
    for column, office in (("V", "supervisor"), ("A", "authority")):
        stage.ledger.certificates.holds.hold(number, "court", stage.parties[column])
        statements = [stage.ledger.usage.holdings.get(number).digest]
        proposal = stage.proposed(calls.lift(office, statements), stage.parties[column])
        second = stage.fresh("V")
        refusal = stage.run("keys", "confirm", proposal, "--by", second)
        assert refusal == (None if office == "supervisor" else "PARTY_LACKS_ROLE")


def test_an_admin_may_confirm_only_registrations(stage: Stage, tmp_path: Path) -> None:
    """The admin gives the list of parties to the command, because the admin's own installation does not have it."""
    key = stage.ledger.custody.public_key(*stage.ledger.custody.create())
    signer = stage.ledger.custody.signer(account_of_public_key(key))
    proof = possession_of(stage.ledger.reader.chain, signer)
    opening = {"kind": "enterprise", "identifier": synthetic_uscc("440800", 7_777), "key": "5e" * 32, "name": "Firm"}
    identifier = party_id(bytes.fromhex(opening["key"]), PartyKind.ENTERPRISE, opening["identifier"])
    party = PartyRegistration(identifier, ((signer.kid, proof),), Role.mask([Role.SUBJECT]))
    call = calls.register_parties([party])
    document: dict[str, Any] = {"format": "pingzheng-registrations/1", "act": stage.ledger.client.act_of(call)}
    keys = [{"public_key": key, "proof": proof}]
    document |= {"parties": [{"id": party.id, "roles": ["subject"], "keys": keys, "opening": opening}]}
    (tmp_path / "list.json").write_text(json.dumps(document))
    number = stage.proposed(call)
    assert stage.run("keys", "confirm", number, "--by", stage.parties["X"]) == "REGISTRATION_LIST_MISSING"
    listed = ("--list", str(tmp_path / "list.json"))
    assert stage.run("keys", "confirm", number, "--by", stage.parties["V"], *listed) == "PARTY_LACKS_ROLE"
    assert stage.run("keys", "confirm", number, "--by", stage.parties["X"], *listed) is None
    assert stage.ledger.reader.party_no(party.id)
