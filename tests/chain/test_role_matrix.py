"""The role matrix on the contracts: every call of tests/roles.yaml by an account of every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from ledger.chain import asset_calls, calls
from ledger.chain.asset_calls import AssetRegistration
from ledger.chain.calls import Call, PartyRegistration
from ledger.chain.client import ChainClient
from ledger.chain.deploy import deploy
from ledger.chain.deployment import CERTIFICATE_LOG
from ledger.chain.node import JOURNAL, LocalNode
from ledger.chain.reader import ChainReader
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden, NotFound, PingzhengError
from ledger.proof.acts import sign_act, uses_message, withdrawals_message
from ledger.proof.bundle import ChainId
from ledger.proof.jws import LocalSigner
from tests.chain.life import CONSENT, FAR, REQUEST, account, digest
from tests.conftest import PARTIES, test_key
from tests.role_table import CELLS, COLUMNS, CONTRACT_CALLS, ROLE_OF, ROWS, name_of

PARTY_COLUMNS = [column for column in COLUMNS if column != "U"]
OPEN_TO_ALL = {"PartyRegistry.rotateAccount", "CertificateLog.withdraw", "CertificateLog.withdrawFor"}
SENDER, HELD = "sender", digest("held")
BYSTANDER, RETIRED, HOLDER, BOTH = "bystander", "retired", "holder", "applicant and registrar"
SECOND = "second issuer"
APPLIED, ACCEPTED, NOTICED, CONFIRMED, IMPORTANT, FROZEN, OBJECTED, OWN = (digest(name) for name in "abcdefgh")


@dataclass(frozen=True, slots=True)
class Stage:
    """A chain with one party of each role, and records in the state that each call asks for. Nothing is sent on it."""

    founder: ChainClient
    numbers: dict[str, int]
    now: int

    @property
    def chain(self) -> ChainId:
        return self.founder.deployment.chain

    def client(self, name: str) -> ChainClient:
        return self.founder.with_account(test_key(f"role {name}"))

    def attempt(self, name: str, call: Call) -> PingzhengError | None:
        """What the contract says to the party's call; ``None`` if it would be done. Another sends a signed act."""
        name = SENDER if f"{call.contract}.{call.function}" in SIGNED else name
        try:
            self.founder.estimate(
                self.founder.address_of(call.contract), self.founder.encode(call), sender=account(f"role {name}")
            )
        except PingzhengError as refusal:
            return refusal
        return None


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    founder = PARTIES["founder"]
    names = {column: {ROLE_OF[column]} for column in PARTY_COLUMNS}
    names |= {BYSTANDER: {Role.SUBJECT}, RETIRED: {Role.SUBJECT}, HOLDER: {Role.PROVIDER}}
    names |= {BOTH: {Role.PROVIDER, Role.REGISTRAR}, SECOND: {Role.ISSUER}}
    funded = [founder.account, *(account(f"role {name}") for name in names)]
    directory = tmp_path_factory.mktemp("roles")
    with LocalNode(directory, program=JOURNAL, chain_id=4411, funded=funded, persistent=False) as node:
        client = ChainClient.at(node.url, deploy(node.url, founder.key, founder.id, founder.account), founder.key)
        client.register_parties(
            [
                PartyRegistration(digest(f"role {name}"), account(f"role {name}"), Role.mask(roles))
                for name, roles in names.items()
            ]
        )
        numbers = {name: place for place, name in enumerate(names, start=2)}
        stage = Stage(client, numbers, ChainReader(client).latest().time)
        prepare(stage, node)
        yield stage


def prepare(stage: Stage, node: LocalNode) -> None:
    """Anchored leaves, a retired account, and assets of the holder as the calls need them."""
    for report in ("quality", "appraise"):
        stage.founder.accredit(stage.numbers["T"], report, 0, FAR)
    stage.client(RETIRED).send(calls.rotate_account(account("fresh")))
    issuer, holder, registrar = stage.client("I"), stage.client(HOLDER), stage.client("R")
    issuer.anchor(0, 8, digest("root"))
    issuer.suspend(0, 3, "investigation")
    for office in ("A", "V"):
        stage.client(office).hold([HELD], "investigation")
        stage.client(office).hold([held_by(office)], "court")
    moving = (NOTICED, CONFIRMED, FROZEN, OBJECTED)
    assets = dict.fromkeys((APPLIED, ACCEPTED, *moving), "general") | {IMPORTANT: "important"}
    holder.send(
        asset_calls.register_assets(
            [
                AssetRegistration(asset, digest("content"), digest(f"print {asset}"), grade)
                for asset, grade in assets.items()
            ]
        )
    )
    stage.client(BOTH).send(
        asset_calls.register_assets([AssetRegistration(OWN, digest("content"), digest("own print"))])
    )
    registrar.send(asset_calls.advance([ACCEPTED, *moving], "accepted"))
    registrar.send(asset_calls.advance(moving, "reviewed"))
    registrar.send(asset_calls.advance(moving, "noticed", until=stage.now + 60))
    stage.client("S").send(asset_calls.object_to(OBJECTED, digest("grounds")))
    node.advance(120)
    registrar.send(asset_calls.confirm_assets([CONFIRMED, FROZEN], FAR))
    stage.founder.send(asset_calls.set_frozen(FROZEN, True, "court"))


def held_by(office: str) -> str:
    """A statement that one office holds, and the other does not."""
    return digest(f"held by {office}")


ACTS: dict[str, Callable[[Stage], Call]] = {
    "PartyRegistry.registerMany": lambda _: calls.register_parties(
        [PartyRegistration(digest("new"), account("new"), Role.mask([Role.SUBJECT]))]
    ),
    "PartyRegistry.setRoles": lambda stage: calls.set_roles(stage.numbers[BYSTANDER], Role.mask([Role.CONSUMER])),
    "PartyRegistry.accredit": lambda stage: calls.accredit(stage.numbers[HOLDER], "S01", 0, FAR),
    "PartyRegistry.recoverAccount": lambda stage: calls.recover_account(
        stage.numbers[BYSTANDER], account(f"role {BYSTANDER}"), account("recovered")
    ),
    "PartyRegistry.reportCompromise": lambda stage: calls.report_compromise(
        stage.numbers[RETIRED], account(f"role {RETIRED}"), stage.now
    ),
    "PartyRegistry.bindAccount": lambda stage: calls.bind_account(stage.numbers[BYSTANDER], account("further")),
    "PartyRegistry.rotateAccount": lambda _: calls.rotate_account(account("rotated")),
    "PartyRegistry.setStatus": lambda stage: calls.set_status(stage.numbers[BYSTANDER], "sanctioned", "sanction"),
    "AssetRegistry.clear": lambda _: asset_calls.clear(IMPORTANT, digest("report")),
    "AssetRegistry.registerMany": lambda _: asset_calls.register_assets(
        [AssetRegistration(digest("new"), digest("content"), digest("new print"))]
    ),
    "AssetRegistry.advance": lambda _: asset_calls.advance([APPLIED], "accepted"),
    "AssetRegistry.reject": lambda _: asset_calls.reject(ACCEPTED, digest("grounds")),
    "AssetRegistry.confirmMany": lambda _: asset_calls.confirm_assets([NOTICED], FAR),
    "AssetRegistry.assess": lambda _: asset_calls.assess(CONFIRMED, "quality", digest("report"), FAR),
    "AssetRegistry.object": lambda _: asset_calls.object_to(CONFIRMED, digest("grounds")),
    "AssetRegistry.decide": lambda _: asset_calls.decide(OBJECTED, 1, "admitted", digest("grounds")),
    "AssetRegistry.annul": lambda _: asset_calls.annul(CONFIRMED, "fraud", digest("grounds")),
    "AssetRegistry.freeze": lambda _: asset_calls.set_frozen(CONFIRMED, True, "court"),
    "AssetRegistry.unfreeze": lambda _: asset_calls.set_frozen(FROZEN, False, "lifted"),
    "CertificateLog.anchor": lambda _: calls.anchor(8, 1, digest("next")),
    "CertificateLog.recordUse": lambda _: calls.record_use(REQUEST, 1),
    "CertificateLog.hold": lambda _: calls.hold([CONSENT, REQUEST], "court"),
    "CertificateLog.lift": lambda _: calls.lift([HELD]),
    "CertificateLog.revoke": lambda _: calls.revoke(0, 0, "fraud"),
    "CertificateLog.revokeMany": lambda _: calls.revoke_many(0, [1, 2], "fraud"),
    "CertificateLog.supersede": lambda _: calls.supersede(0, 1, 0, 2),
    "CertificateLog.suspend": lambda _: calls.suspend(0, 0, "investigation"),
    "CertificateLog.resume": lambda _: calls.resume(0, 3),
    "CertificateLog.withdraw": lambda _: calls.withdraw(CONSENT),
}


def uses_by(stage: Stage, name: str) -> Call:
    """A use that the party signed."""
    who, uses = account(f"role {name}"), [(REQUEST, 1)]
    return calls.record_uses_for(who, uses, FAR, sign_act(uses_message(stage.chain, who, FAR, uses), signer_of(name)))


def withdrawal_by(stage: Stage, name: str) -> Call:
    """A withdrawal that the party signed."""
    who = account(f"role {name}")
    return calls.withdraw_for(
        who, [CONSENT], sign_act(withdrawals_message(stage.chain, who, [CONSENT]), signer_of(name))
    )


def signer_of(name: str) -> LocalSigner:
    return LocalSigner(bytes.fromhex(test_key(f"role {name}")), account(f"role {name}"))


SIGNED: dict[str, Callable[[Stage, str], Call]] = {
    "CertificateLog.recordUsesFor": uses_by,
    "CertificateLog.withdrawFor": withdrawal_by,
}


def act_of(stage: Stage, call: str, name: str) -> Call:
    return SIGNED[call](stage, name) if call in SIGNED else ACTS[call](stage)


def test_every_row_names_its_calls_or_why_there_is_none() -> None:
    assert ROWS.keys() == CELLS.keys()
    assert all(("contract" in row) != ("service_only" in row) for row in ROWS.values())
    assert CONTRACT_CALLS.keys() == ACTS.keys() | SIGNED.keys()


def test_no_call_takes_a_role_that_the_matrix_gives_nothing() -> None:
    """The exceptions are to rotate one's own account and to withdraw for one's own part, which the table explains."""
    for row, told in ROWS.items():
        taken = {
            column
            for call, columns in told.get("contract", {}).items()
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
def test_cell(stage: Stage, call: str, column: str) -> None:
    act = act_of(stage, call, column)
    assert f"{act.contract}.{act.function}" == call
    refusal = stage.attempt(column, act)
    if column in CONTRACT_CALLS[call]:
        assert refusal is None
    else:
        assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_LACKS_ROLE"


@pytest.mark.parametrize("call", CONTRACT_CALLS)
def test_public_has_no_account(stage: Stage, call: str) -> None:
    refusal = stage.attempt("public", act_of(stage, call, "public"))
    assert refusal is not None and refusal.code == "PARTY_UNKNOWN_ACCOUNT"


@pytest.mark.parametrize("column", COLUMNS)
def test_anyone_with_a_node_reads_status_and_head(stage: Stage, column: str) -> None:
    log = stage.founder.address_of(CERTIFICATE_LOG)
    for function, args in (("statusOf", (stage.numbers["I"], 0, 0)), ("holdOf", (HELD,)), ("head", ())):
        data = stage.founder.encode(Call(CERTIFICATE_LOG, function, args))
        assert stage.founder.estimate(log, data, sender=account(f"role {column}")) > 0


@pytest.mark.parametrize("column", ["A", "X"])
def test_no_role_to_oneself(stage: Stage, column: str) -> None:
    for role in Role:
        refusal = stage.attempt(column, calls.set_roles(stage.numbers[column], Role.mask([ROLE_OF[column], role])))
        assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_SELF_GRANT"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SUBJECT, Role.PROVIDER, Role.CONSUMER, Role.BROKER}))
def test_sysadmin_gives_no_office(stage: Stage, role: Role) -> None:
    refusal = stage.attempt("X", calls.set_roles(stage.numbers[BYSTANDER], Role.mask([Role.SUBJECT, role])))
    assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_OFFICE_BY_AUTHORITY"
    newcomer = PartyRegistration(digest("new"), account("new"), Role.mask([role]))
    refusal = stage.attempt("X", calls.register_parties([newcomer]))
    assert isinstance(refusal, Forbidden) and refusal.code == "PARTY_OFFICE_BY_AUTHORITY"


def test_nobody_sanctions_itself_free(stage: Stage) -> None:
    for column in ("A", "V"):
        refusal = stage.attempt(column, calls.set_status(stage.numbers[column], "active", "lifted"))
        assert refusal is not None and refusal.code == "PARTY_SELF_GRANT"


def test_applicant_is_not_reviewer(stage: Stage) -> None:
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
def test_an_issuer_reaches_its_own_log_alone(stage: Stage, call: Call) -> None:
    """The second issuer anchored nothing: the numbers of the first one's log name nothing for it."""
    assert stage.attempt("I", call) is None
    refusal = stage.attempt(SECOND, call)
    assert isinstance(refusal, NotFound) and refusal.code == "LOG_UNKNOWN_BATCH"
    assert refusal.details["issuer"] == stage.numbers[SECOND]


@pytest.mark.parametrize(("column", "other"), [("A", "V"), ("V", "A")])
def test_an_office_lifts_its_own_hold_alone(stage: Stage, column: str, other: str) -> None:
    call = calls.lift([held_by(column)])
    assert stage.attempt(column, call) is None
    refusal = stage.attempt(other, call)
    assert isinstance(refusal, Conflict) and refusal.code == "LOG_NOT_HELD"


@pytest.mark.parametrize("column", PARTY_COLUMNS)
def test_only_the_holder_moves_its_asset(stage: Stage, column: str) -> None:
    """Where ownership decides, no role helps."""
    to = stage.numbers[BYSTANDER]
    offer = asset_calls.offer_transfer(CONFIRMED, to, FAR)
    filing = asset_calls.file_application(CONFIRMED, "cancel", digest("reason"), "00" * 32, "general")
    for call in (offer, filing):
        refusal = stage.attempt(column, call)
        assert isinstance(refusal, Forbidden) and refusal.code == "ASSET_NOT_HOLDER"
        assert stage.attempt(HOLDER, call) is None
