"""HTTP calls for the role matrix's rows about proposals, vetoes, key reports and the pause."""

from __future__ import annotations

from itertools import count
from typing import Any

from ledger.chain.accounts import account_of_public_key
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call, PartyRegistration
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role, party_id
from ledger.parties.keys.possession import possession_of
from tests.api.permissions.role_outcomes import Outcome, outcomes_of
from tests.support.api.stage import Stage

_NEXT = count()
_NEWCOMERS = count(9800)


def propose(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Propose to rotate the caller's key; if ``own`` is false, propose a further key for another party."""
    key = kept_key(stage)
    if not own:
        path = f"/v1/parties/{stage.parties['S2']}/further-accounts"
        return outcomes_of(stage.post(who, path, {"public_key": key}))
    joined = fresh(stage, who)
    return outcomes_of(
        stage.post(joined, f"/v1/parties/{stage.parties.get(joined, '0' * 64)}/accounts", {"public_key": key})
    )


def onboard(stage: Stage, who: str) -> list[Outcome]:
    party = {"kind": "enterprise", "name": "Newcomer", "region": "440800", "public_key": kept_key(stage)}
    party |= {"identifier": synthetic_uscc("440800", next(_NEWCOMERS))}
    return outcomes_of(stage.post(who, "/v1/parties", {"parties": [party]}))


def confirm(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Confirm one proposal and cancel another; if ``own`` is false, confirm a proposal about the confirming authority
    itself.
    """
    if not own:
        about = stage.once("about A", lambda: proposed(stage, further_key(stage, "A")))
        return outcomes_of(stage.post(who, f"/v1/proposals/{about}/confirmation", {}))
    first, second = (stage.once(f"office {place}", lambda: proposed(stage, office(stage))) for place in (1, 2))
    return outcomes_of(
        stage.post(who, f"/v1/proposals/{first}/confirmation", {}),
        stage.post(who, f"/v1/proposals/{second}/cancellation", {}),
    )


def confirm_lift(stage: Stage, who: str) -> list[Outcome]:
    """Confirm another supervisor's proposal to lift a hold."""

    def lifting() -> int:
        _, statement = stage.held_by("V")
        return proposed(stage, calls.lift("supervisor", [statement]), stage.pilot.cast.supervisor)

    return outcomes_of(stage.post(who, f"/v1/proposals/{stage.once('lifting', lifting)}/confirmation", {}))


def confirm_registration(stage: Stage, who: str) -> list[Outcome]:
    """Confirm a registration proposed in another installation, with its list of parties."""

    def listed() -> tuple[int, dict[str, Any]]:
        key, number = kept_key(stage), next(_NEXT)
        opening = {
            "kind": "enterprise",
            "identifier": synthetic_uscc("440800", number),
            "key": "5e" * 32,
            "name": "Firm",
        }
        identifier = party_id(bytes.fromhex(opening["key"]), PartyKind.ENTERPRISE, opening["identifier"])
        account = account_of_public_key(key)
        proof = possession_of(stage.ledger.reader.chain, stage.ledger.custody.signer(account))
        registration = PartyRegistration(identifier, ((account, proof),), Role.mask([Role.SUBJECT]))
        call = calls.register_parties([registration])
        keys = [{"public_key": key, "proof": proof}]
        party = {"id": identifier, "roles": ["subject"], "keys": keys, "opening": opening}
        act = stage.ledger.client.act_of(call)
        return proposed(stage, call), {"format": "pingzheng-registrations/1", "act": act, "parties": [party]}

    number, document = stage.once("listed", listed)
    return outcomes_of(stage.post(who, f"/v1/proposals/{number}/confirmation", {"list": document}))


def veto(stage: Stage, who: str, own: bool) -> list[Outcome]:
    about = who if own and who != "U" else "S2" if who != "S2" else "S"
    number = stage.once(f"about {about}", lambda: proposed(stage, further_key(stage, about)))
    return outcomes_of(stage.post(who, f"/v1/proposals/{number}/veto", {}))


def report(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """Report a key of the caller as lost; if ``own`` is false, report a key of another party.

    Each call uses a new party, because the party has no active key after the report.
    """
    joined = fresh(stage, who) if own else stage.once("reported", lambda: fresh(stage, "S"))
    party = stage.parties.get(joined, stage.parties["S2"])
    body = {"reported": stage.ledger.parties.register.get(party).account}
    return outcomes_of(stage.post(joined if own else who, f"/v1/parties/{party}/reports", body))


def start_pause(stage: Stage, who: str) -> list[Outcome]:
    outcomes = outcomes_of(stage.post(who, "/v1/pause", {}))
    running_again(stage)
    return outcomes


def end_pause(stage: Stage, who: str, own: bool) -> list[Outcome]:
    """End a pause that a new supervisor began. If ``who`` is the authority, also let a new authority begin a pause,
    because the role matrix allows an authority to begin and to end pauses.
    """
    began = start_pause(stage, fresh(stage, "A")) if who == "A" else []
    guardian = stage.pilot.party(PartyKind.SUPERVISOR, Role.SUPERVISOR)
    stage.ledger.pauses.pause(stage.ledger.actor(guardian))
    ended = outcomes_of(stage.call(who, "DELETE", "/v1/pause", {}))
    running_again(stage)
    return began + ended


def running_again(stage: Stage) -> None:
    """End a pause, so that later tests run on a ledger that is not paused."""
    if stage.ledger.reader.paused_until():
        stage.ledger.pauses.end(stage.ledger.authority)


def fresh(stage: Stage, who: str) -> str:
    """Return a new party with only the role of the column ``who``, so that the column's usual party stays unchanged for
    other tests.
    """
    if who == "U":
        return who
    return stage.join_named(f"{who} {next(_NEXT)}", who)


def kept_key(stage: Stage) -> str:
    return stage.ledger.custody.public_key(*stage.ledger.custody.create())


def further_key(stage: Stage, who: str) -> Call:
    """Return the chain call that binds a further key to the given party."""
    key = kept_key(stage)
    signer, number = stage.ledger.custody.signer(account_of_public_key(key)), number_of(stage, stage.parties[who])
    proof = possession_of(stage.ledger.reader.chain, signer, number)
    return calls.change_key(number, signer.kid, calls.NO_ACCOUNT, proof)


def office(stage: Stage) -> Call:
    newcomer = stage.pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
    return calls.set_roles(number_of(stage, newcomer), Role.mask([Role.SUBJECT, Role.REGISTRAR]))


def number_of(stage: Stage, party: str) -> int:
    return stage.ledger.reader.party_no(party)


def proposed(stage: Stage, call: Call, by: str | None = None) -> int:
    """Propose as ``by`` (default: the installation's authority); return the number of the unconfirmed proposal."""
    return stage.ledger.proposals.propose(by or stage.ledger.installation.authority_party, call).no
