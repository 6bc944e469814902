"""Tries every call of tests/reference/role_matrix.yaml on the contracts, with an account of every role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.chain.contracts.deployment import CERTIFICATE_LOG
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending import asset_calls, calls
from ledger.chain.sending.calls import Call, Founding
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.chain.sending.proposals import proposal_of
from ledger.domain.parties import OFFICES, Role
from ledger.errors import Conflict, Forbidden, NotFound
from ledger.proof.acts import prove_key
from tests.chain.contracts.role_acts import (
    ACTS,
    APPLIED,
    BOTH,
    BYSTANDER,
    CONFIRMED,
    DECIDED,
    DECIDED_BY_PARTIES,
    HELD,
    HOLDER,
    OWN,
    OWN_ACTS,
    PARTY_COLUMNS,
    SECOND,
    SECOND_AUTHORITY,
    SECOND_SUPERVISOR,
    SIGNED,
    Stage,
    act_of,
    confirmation,
    founding_of,
    held_by,
    prepare,
    propose,
    report_of,
    signer_of,
    to_an_office,
)
from tests.reference.role_matrix import CELLS, COLUMNS, CONTRACT_CALLS, ROLE_OF, ROWS, name_of
from tests.support.chain.deployed import PARTIES
from tests.support.chain.scripted_ledger import FAR, account, digest

OPEN_TO_ALL = {"CertificateLog.withdraw", "CertificateLog.withdrawFor"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    founder = PARTIES["founder"]
    names = {column: {ROLE_OF[column]} for column in PARTY_COLUMNS}
    names |= {BYSTANDER: {Role.SUBJECT}, HOLDER: {Role.PROVIDER}, BOTH: {Role.PROVIDER, Role.REGISTRAR}}
    names |= {SECOND: {Role.ISSUER}, SECOND_AUTHORITY: {Role.AUTHORITY}, SECOND_SUPERVISOR: {Role.SUPERVISOR}}
    # With the founder there are four authorities, because at least three must remain active when one reports its own
    # key.
    names |= {"third authority": {Role.AUTHORITY}}
    funded = [founder.account, *(account(f"role {name}") for name in names)]
    founding = [
        Founding(founder.id, (founder.account,), Role.mask([Role.AUTHORITY, Role.ADMIN])),
        *(founding_of(name, roles) for name, roles in names.items()),
    ]
    directory = tmp_path_factory.mktemp("roles")
    with LocalNode(directory, program=JOURNAL, chain_id=4411, funded=funded, persistent=False) as node:
        client = ChainClient.at(node.url, deploy(node.url, founder.key, founding, delay=0), founder.key)
        numbers = {name: place for place, name in enumerate(names, start=2)}
        stage = Stage(client, numbers, ChainReader(client).latest().time, {})
        prepare(stage, node)
        propose(stage)
        yield stage


def test_every_row_of_the_matrix_names_its_calls_or_a_reason() -> None:
    assert ROWS.keys() == CELLS.keys()
    assert all(("contract" in row) != ("service_only" in row) for row in ROWS.values())
    assert CONTRACT_CALLS.keys() == ACTS.keys() | OWN_ACTS.keys() | SIGNED.keys()


def test_no_call_accepts_a_role_that_the_matrix_excludes() -> None:
    """The test leaves out only withdrawals, because every party may withdraw in its own name. The matrix explains this
    exception.
    """
    for row, entry in ROWS.items():
        taken = {
            column
            for call, columns in entry.get("contract", {}).items()
            for column in columns.split()
            if call not in OPEN_TO_ALL
        }
        assert not [column for column in taken if CELLS[row][column] in ("–", "r")], row


@pytest.mark.parametrize(
    ("call", "column"),
    [
        pytest.param(call, column, id=f"{name_of(column)}: {call}: {'✓' if column in takes else '–'}")
        for call, takes in CONTRACT_CALLS.items()
        for column in PARTY_COLUMNS
    ],
)
def test_each_role_may_call_exactly_what_the_matrix_allows(stage: Stage, call: str, column: str) -> None:
    act = act_of(stage, call, column)
    assert f"{act.contract}.{act.function}" == call.partition("(")[0]
    refusal = stage.attempt(column, act)
    if column in CONTRACT_CALLS[call]:
        assert refusal is None
    else:
        assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_LACKS_ROLE"


@pytest.mark.parametrize("call", CONTRACT_CALLS)
def test_the_public_has_no_account(stage: Stage, call: str) -> None:
    refusal = stage.attempt("public", act_of(stage, call, "public"))
    assert refusal is not None
    vetoes = call in ("PartyRegistry.veto", "PartyRegistry.vetoFor")
    assert refusal.code == ("PARTY_NO_VETO" if vetoes else "PARTY_UNKNOWN_ACCOUNT")


@pytest.mark.parametrize("column", COLUMNS)
def test_anyone_can_read_statuses_and_holds_and_the_head_of_the_log_from_a_node(stage: Stage, column: str) -> None:
    log = stage.founder.address_of(CERTIFICATE_LOG)
    for function, args in (("statusOf", (stage.numbers["I"], 0, 0)), ("holdOf", (HELD,)), ("head", ())):
        data = stage.founder.encode(Call(CERTIFICATE_LOG, function, args))
        assert stage.founder.estimate(log, data, sender=account(f"role {column}")) > 0


@pytest.mark.parametrize("column", ["A", "X"])
def test_a_party_cannot_give_itself_a_role(stage: Stage, column: str) -> None:
    for role in Role:
        refusal = stage.attempt(column, calls.set_roles(stage.numbers[column], Role.mask([ROLE_OF[column], role])))
        assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_SELF_GRANT"


@pytest.mark.parametrize("column", ["A", "X"])
@pytest.mark.parametrize("role", sorted(OFFICES))
def test_one_officer_alone_cannot_give_a_role_that_needs_a_proposal(stage: Stage, role: Role, column: str) -> None:
    refusal = stage.attempt(column, calls.set_roles(stage.numbers[BYSTANDER], Role.mask([Role.SUBJECT, role])))
    assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_OFFICE_BY_PROPOSAL"


@pytest.mark.parametrize("column", PARTY_COLUMNS)
def test_one_officer_cannot_do_what_two_officers_must_decide(stage: Stage, column: str) -> None:
    for function, call in DECIDED_BY_PARTIES.items():
        refusal = stage.attempt(column, call(stage))
        assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_NOT_DECIDED", function
    for code, call in DECIDED.items():
        refusal = stage.attempt(column, call(stage))
        lacking = code == "PARTY_OFFICE_BY_PROPOSAL" and column not in "AX"
        assert isinstance(refusal, Forbidden) and refusal.code == ("PARTY_LACKS_ROLE" if lacking else code)


@pytest.mark.parametrize("column", ["A", "V"])
def test_one_officer_alone_can_change_neither_the_status_nor_the_keys_of_another_officer(
    stage: Stage, column: str
) -> None:
    """One officer alone can change neither the status nor the keys of another officer."""
    other = SECOND_SUPERVISOR if column == "V" else SECOND_AUTHORITY
    for status, reason in (("suspended", "investigation"), ("closed", "court")):
        refusal = stage.attempt("A", calls.set_status(stage.numbers[other], status, reason))
        assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_NOT_DECIDED"
    refusal = stage.attempt("A", report_of(stage, other))
    assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_NOT_DECIDED"


@pytest.mark.parametrize("column", ["A", "V"])
def test_closing_any_party_needs_two_officers(stage: Stage, column: str) -> None:
    refusal = stage.attempt(column, calls.set_status(stage.numbers[BYSTANDER], "closed", "court"))
    assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_NOT_DECIDED"


def test_neither_the_proposer_nor_the_party_concerned_can_confirm_a_proposal(stage: Stage) -> None:
    own = stage.attempt(SECOND_AUTHORITY, confirmation(stage, "setRoles"))
    assert isinstance(own, Forbidden) and own.code == "PARTY_OWN_PROPOSAL"
    recovery = calls.change_key(stage.numbers["A"], account("fresh A"), account("role A"))
    concerned = stage.attempt("A", calls.confirm(stage.proposals["A"], recovery))
    assert isinstance(concerned, Forbidden) and concerned.code == "PARTY_SELF_GRANT"


@pytest.mark.parametrize("column", PARTY_COLUMNS)
def test_a_key_cannot_veto_for_another_party(stage: Stage, column: str) -> None:
    refusal = stage.attempt(column, calls.veto(stage.proposals[BYSTANDER]))
    assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_NO_VETO"


@pytest.mark.parametrize("column", COLUMNS)
def test_anybody_can_carry_out_a_decided_proposal_and_nobody_an_undecided_proposal(stage: Stage, column: str) -> None:
    fresh = signer_of("carried out")
    change = calls.change_key(
        stage.numbers[HOLDER],
        fresh.kid,
        account(f"role {HOLDER}"),
        prove_key(stage.chain, fresh, stage.numbers[HOLDER]),
    )
    if "own" not in stage.proposals:
        stage.proposals["own"] = proposal_of(stage.client(HOLDER).send(calls.propose(change)))
    assert stage.attempt(column, calls.carry_out(stage.proposals["own"], change)) is None
    refusal = stage.attempt(column, calls.carry_out(stage.proposals["setRoles"], to_an_office(stage)))
    assert isinstance(refusal, Conflict) and refusal.code == "PARTY_NOT_CONFIRMED"


def test_a_sanctioned_party_cannot_lift_its_sanction(stage: Stage) -> None:
    for column in ("A", "V"):
        refusal = stage.attempt(column, calls.set_status(stage.numbers[column], "active", "lifted"))
        assert refusal is not None and refusal.code == "PARTY_SELF_GRANT"


def test_an_applicant_cannot_review_its_own_application(stage: Stage) -> None:
    own = (
        asset_calls.advance([OWN], "accepted"),
        asset_calls.reject(OWN, digest("grounds")),
        asset_calls.confirm_assets([OWN], FAR),
    )
    for call in own:
        refusal = stage.attempt(BOTH, call)
        assert isinstance(refusal, Forbidden) and refusal.code == "ASSET_SELF_REVIEW"
    assert stage.attempt(BOTH, asset_calls.advance([APPLIED], "accepted")) is None


@pytest.mark.parametrize("call", [calls.revoke(0, 0, "fraud"), calls.suspend(0, 0, "court"), calls.resume(0, 3)])
def test_an_issuer_can_change_only_its_own_log(stage: Stage, call: Call) -> None:
    """Both issuers make the same call. The contract looks for the batch in the caller's own log, and the second issuer
    has anchored no batch, so its call is refused.
    """
    assert stage.attempt("I", call) is None
    refusal = stage.attempt(SECOND, call)
    assert isinstance(refusal, NotFound) and refusal.code == "LOG_UNKNOWN_BATCH"
    assert refusal.details["issuer"] == stage.numbers[SECOND]


@pytest.mark.parametrize(("column", "office", "other"), [("A", "authority", "V"), ("V", "supervisor", "A")])
def test_two_authorities_or_two_supervisors_can_lift_only_holds_of_their_own_role(
    stage: Stage, column: str, office: str, other: str
) -> None:
    """Two officers of one role propose to lift a hold. The proposal fails when it is carried out, if only officers of
    the other role have set a hold on the statement.
    """
    second = SECOND_AUTHORITY if column == "A" else SECOND_SUPERVISOR
    for statement, refused in ((held_by(column), None), (held_by(other), "LOG_NOT_HELD")):
        call = calls.lift(office, [statement])
        number = proposal_of(stage.client(column).send(calls.propose(call)))
        refusal = stage.attempt(second, calls.confirm(number, call))
        assert (refusal and refusal.code) == refused
        stranger = stage.attempt(other, calls.confirm(number, call))
        assert isinstance(stranger, Forbidden) and stranger.code == "PARTY_LACKS_ROLE"


@pytest.mark.parametrize("column", PARTY_COLUMNS)
def test_only_the_holder_of_an_asset_can_transfer_the_asset(stage: Stage, column: str) -> None:
    """No role permits a party to transfer an asset that another party holds."""
    to = stage.numbers[BYSTANDER]
    offer = asset_calls.offer_transfer(CONFIRMED, to, FAR)
    filing = asset_calls.file_application(CONFIRMED, "cancel", digest("reason"), "00" * 32, "general")
    for call in (offer, filing):
        refusal = stage.attempt(column, call)
        assert isinstance(refusal, Forbidden) and refusal.code == "ASSET_NOT_HOLDER"
        assert stage.attempt(HOLDER, call) is None
