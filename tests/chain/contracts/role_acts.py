"""A chain with a party for each role, and the calls for each row of the role matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.chain.local.node import LocalNode
from ledger.chain.sending import asset_calls, calls
from ledger.chain.sending.asset_calls import AssetRegistration
from ledger.chain.sending.calls import Call, Founding, PartyRegistration
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.proposals import proposal_of
from ledger.domain.parties import Role
from ledger.errors import PingzhengError
from ledger.proof.acts import prove_key, report_message, sign_act, uses_message, veto_message, withdrawals_message
from ledger.proof.bundle import ChainId
from ledger.proof.jws import LocalSigner
from tests.reference.role_matrix import COLUMNS
from tests.support.chain.deployed import test_key
from tests.support.chain.scripted_ledger import CONSENT, FAR, REQUEST, account, digest

PARTY_COLUMNS = [column for column in COLUMNS if column != "U"]
SENDER, HELD = "sender", digest("held")
BYSTANDER, HOLDER, BOTH = "bystander", "holder", "applicant and registrar"
SECOND, SECOND_AUTHORITY, SECOND_SUPERVISOR = "second issuer", "second authority", "second supervisor"
APPLIED, ACCEPTED, NOTICED, CONFIRMED, IMPORTANT, FROZEN, OBJECTED, OWN = (digest(name) for name in "abcdefgh")


@dataclass(frozen=True, slots=True)
class Stage:
    """A chain with one party of each role, and with records in the state that each simulated call needs."""

    founder: ChainClient
    numbers: dict[str, int]
    now: int
    proposals: dict[str, int]

    @property
    def chain(self) -> ChainId:
        return self.founder.deployment.chain

    def client(self, name: str) -> ChainClient:
        return self.founder.with_account(test_key(f"role {name}"))

    def attempt(self, name: str, call: Call) -> PingzhengError | None:
        """Simulate a call by party ``name``; return the refusal, or ``None`` if the call would succeed.

        If the call carries the party's signature, the simulated call comes from an account that belongs to no party.
        """
        name = SENDER if f"{call.contract}.{call.function}" in SIGNED else name
        try:
            self.founder.estimate(
                self.founder.address_of(call.contract), self.founder.encode(call), sender=account(f"role {name}")
            )
        except PingzhengError as refusal:
            return refusal
        return None


def founding_of(name: str, roles: set[Role]) -> Founding:
    reports = tuple((report, 0, FAR) for report in ("quality", "appraise")) if name == "T" else ()
    return Founding(digest(f"role {name}"), (account(f"role {name}"),), Role.mask(roles), reports)


def prepare(stage: Stage, node: LocalNode) -> None:
    """Anchor leaves, and bring the holder's assets into the states that the calls of the role matrix need."""
    issuer, holder, registrar = stage.client("I"), stage.client(HOLDER), stage.client("R")
    issuer.send(calls.anchor(0, 8, digest("root")))
    issuer.send(calls.suspend(0, 3, "investigation"))
    for office in ("A", "V"):
        stage.client(office).send(calls.hold([HELD], "investigation"))
        stage.client(office).send(calls.hold([held_by(office)], "court"))
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


def propose(stage: Stage) -> None:
    """Make the proposals that each role tries to confirm. For each party, also propose a change of the party's keys,
    which the party can veto.
    """
    waiting = {
        "setRoles": (SECOND_AUTHORITY, to_an_office(stage)),
        "lift as authority": (SECOND_AUTHORITY, calls.lift("authority", [HELD])),
        "lift as supervisor": (SECOND_SUPERVISOR, calls.lift("supervisor", [HELD])),
    }
    for name, (by, call) in waiting.items():
        stage.proposals[name] = proposal_of(stage.client(by).send(calls.propose(call)))
    act = stage.founder.act_of(newcomers(stage))
    stage.proposals["register"] = proposal_of(stage.founder.send(calls.propose_registration(act)))
    for name in (*PARTY_COLUMNS, BYSTANDER):
        recovery = calls.change_key(stage.numbers[name], account(f"fresh {name}"), account(f"role {name}"))
        stage.proposals[name] = proposal_of(stage.founder.send(calls.propose(recovery)))


def to_an_office(stage: Stage) -> Call:
    return calls.set_roles(stage.numbers[BYSTANDER], Role.mask([Role.SUBJECT, Role.REGISTRAR]))


def newcomers(stage: Stage) -> Call:
    """Return the call that registers one new party."""
    signer = signer_of("newcomer")
    keys = ((signer.kid, prove_key(stage.chain, signer)),)
    return calls.register_parties([PartyRegistration(digest("new"), keys, Role.mask([Role.SUBJECT]))])


def proposed(stage: Stage, name: str) -> Call:
    return {
        "setRoles": to_an_office(stage),
        "lift as authority": calls.lift("authority", [HELD]),
        "lift as supervisor": calls.lift("supervisor", [HELD]),
        "register": newcomers(stage),
    }[name]


def held_by(office: str) -> str:
    """Return the statement on which only the role ``office`` has set a hold."""
    return digest(f"held by {office}")


ACTS: dict[str, Callable[[Stage], Call]] = {
    "PartyRegistry.setRoles": lambda stage: calls.set_roles(stage.numbers[BYSTANDER], Role.mask([Role.CONSUMER])),
    "PartyRegistry.setStatus": lambda stage: calls.set_status(stage.numbers[BYSTANDER], "sanctioned", "sanction"),
    "PartyRegistry.propose(changeKey)": lambda stage: calls.propose(
        calls.change_key(stage.numbers[BYSTANDER], account("further"))
    ),
    "PartyRegistry.propose(setRoles)": lambda stage: calls.propose(to_an_office(stage)),
    "PartyRegistry.propose(setStatus)": lambda stage: calls.propose(
        calls.set_status(stage.numbers[BYSTANDER], "closed", "court")
    ),
    "PartyRegistry.propose(accredit)": lambda stage: calls.propose(
        calls.accredit(stage.numbers[HOLDER], "S01", 0, FAR)
    ),
    "PartyRegistry.propose(report)": lambda stage: calls.propose(report_of(stage, BYSTANDER)),
    "PartyRegistry.propose(dateCompromise)": lambda stage: calls.propose(
        calls.date_compromise(stage.numbers[BYSTANDER], account(f"role {BYSTANDER}"), stage.now)
    ),
    "PartyRegistry.propose(endPause)": lambda _: calls.propose(calls.end_pause()),
    "PartyRegistry.propose(reassign)": lambda stage: calls.propose(
        asset_calls.reassign(CONFIRMED, stage.numbers[BYSTANDER], digest("grounds"))
    ),
    "PartyRegistry.propose(lift as authority)": lambda _: calls.propose(calls.lift("authority", [HELD])),
    "PartyRegistry.propose(lift as supervisor)": lambda _: calls.propose(calls.lift("supervisor", [HELD])),
    "PartyRegistry.proposeRegistration": lambda stage: calls.propose_registration(
        stage.founder.act_of(newcomers(stage))
    ),
    "PartyRegistry.confirm(setRoles)": lambda stage: confirmation(stage, "setRoles"),
    "PartyRegistry.confirm(lift as authority)": lambda stage: confirmation(stage, "lift as authority"),
    "PartyRegistry.confirm(lift as supervisor)": lambda stage: confirmation(stage, "lift as supervisor"),
    "PartyRegistry.confirm(register)": lambda stage: confirmation(stage, "register"),
    "PartyRegistry.cancel(setRoles)": lambda stage: calls.cancel(stage.proposals["setRoles"]),
    "PartyRegistry.report": lambda stage: report_of(stage, BYSTANDER),
    "PartyRegistry.pause": lambda _: calls.pause(),
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
    "CertificateLog.revoke": lambda _: calls.revoke(0, 0, "fraud"),
    "CertificateLog.revokeMany": lambda _: calls.revoke_many(0, [1, 2], "fraud"),
    "CertificateLog.supersede": lambda _: calls.supersede(0, 1, 0, 2),
    "CertificateLog.suspend": lambda _: calls.suspend(0, 0, "investigation"),
    "CertificateLog.resume": lambda _: calls.resume(0, 3),
    "CertificateLog.withdraw": lambda _: calls.withdraw(CONSENT),
}


def confirmation(stage: Stage, name: str) -> Call:
    return calls.confirm(stage.proposals[name], proposed(stage, name))


def report_of(stage: Stage, name: str) -> Call:
    return calls.report(stage.numbers[name], account(f"role {name}"))


def own_of(stage: Stage, name: str) -> str:
    """Return the party whose record a caller of column ``name`` acts on. A caller who is not a party acts on the record
    of the bystander.
    """
    return name if name in stage.numbers else BYSTANDER


def own_keys(stage: Stage, name: str) -> Call:
    """Return a proposal by a party to replace its own key."""
    number, fresh = stage.numbers[own_of(stage, name)], signer_of(f"next {name}")
    proof = prove_key(stage.chain, fresh, number)
    return calls.propose(calls.change_key(number, fresh.kid, account(f"role {name}"), proof))


# The calls with which a party changes or reports its own keys, or vetoes a change of its own keys.
OWN_ACTS: dict[str, Callable[[Stage, str], Call]] = {
    "PartyRegistry.propose(own keys)": own_keys,
    "PartyRegistry.veto": lambda stage, name: calls.veto(stage.proposals[own_of(stage, name)]),
    "PartyRegistry.report(own)": lambda stage, name: report_of(stage, own_of(stage, name)),
}


def uses_by(stage: Stage, name: str) -> Call:
    """Return a use signed by the party."""
    who, uses = account(f"role {name}"), [(REQUEST, 1)]
    return calls.record_uses_for(who, uses, FAR, sign_act(uses_message(stage.chain, who, FAR, uses), signer_of(name)))


def withdrawal_by(stage: Stage, name: str) -> Call:
    """Return a withdrawal signed by the party."""
    who = account(f"role {name}")
    return calls.withdraw_for(
        who, [CONSENT], sign_act(withdrawals_message(stage.chain, who, [CONSENT]), signer_of(name))
    )


def veto_by(stage: Stage, name: str) -> Call:
    """Return a veto signed by the party."""
    who, number = account(f"role {name}"), stage.proposals[own_of(stage, name)]
    return calls.veto_for(who, number, sign_act(veto_message(stage.chain, who, number), signer_of(name)))


def report_by(stage: Stage, name: str) -> Call:
    """Return a report of the party's own key, signed by the party."""
    who, of = account(f"role {name}"), own_of(stage, name)
    reported = account(f"role {of}")
    signature = sign_act(report_message(stage.chain, who, reported), signer_of(name))
    return calls.report_for(who, stage.numbers[of], reported, signature)


def signer_of(name: str) -> LocalSigner:
    return LocalSigner(bytes.fromhex(test_key(f"role {name}")), account(f"role {name}"))


SIGNED: dict[str, Callable[[Stage, str], Call]] = {
    "CertificateLog.recordUsesFor": uses_by,
    "CertificateLog.withdrawFor": withdrawal_by,
    "PartyRegistry.vetoFor": veto_by,
    "PartyRegistry.reportFor": report_by,
}
# For each error code: a call that is refused with this code if an account makes it directly. The contract makes such
# calls only when it carries out a proposal.
DECIDED: dict[str, Callable[[Stage], Call]] = {
    "PARTY_OFFICE_BY_PROPOSAL": to_an_office,
    "LOG_NOT_DECIDED": lambda _: calls.lift("authority", [HELD]),
    "ASSET_NOT_DECIDED": lambda stage: asset_calls.reassign(CONFIRMED, stage.numbers[BYSTANDER], digest("grounds")),
}
DECIDED_BY_PARTIES: dict[str, Callable[[Stage], Call]] = {
    "register": newcomers,
    "changeKey": lambda stage: calls.change_key(stage.numbers["A"], account("further")),
    "accredit": lambda stage: calls.accredit(stage.numbers[HOLDER], "S01", 0, FAR),
    "dateCompromise": lambda stage: calls.date_compromise(
        stage.numbers[BYSTANDER], account(f"role {BYSTANDER}"), stage.now
    ),
    "endPause": lambda _: calls.end_pause(),
}


def act_of(stage: Stage, call: str, name: str) -> Call:
    if call in SIGNED:
        return SIGNED[call](stage, name)
    return OWN_ACTS[call](stage, name) if call in OWN_ACTS else ACTS[call](stage)
