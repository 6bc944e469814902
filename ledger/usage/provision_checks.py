"""What the platform checks of a provider's answer: it takes claims that the provider signed, and never a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.domain.days import shanghai_day
from ledger.domain.digests import hex_of, reference
from ledger.domain.rules.value_spaces import fits
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.tables import PartyKey
from ledger.proof.acts import withdrawals_message
from ledger.proof.bundle import ChainId
from ledger.proof.jws import entry_signed_by
from ledger.proof.sdjwt import Disclosed, disclosure_digest
from ledger.proof.suites.suite import ES256, SM2SM3, suite_of_key
from ledger.provider.supply import Supply
from ledger.store import log as log_store
from ledger.usage.tables import Authorization, Provision, SeenClaim

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AnswerBasis:
    """The statements that an answer rests on, and the consent's earlier answers, in order."""

    consent: Authorization
    consented: Entry
    asked: Entry
    template: Entry
    before: Sequence[Provision]


def check_by_itself(supply: Supply, where: str) -> None:
    """Raise ``InvalidInput`` unless claims, digests and result of an answer agree; its form and signature are known."""
    entry, supplied = supply.entry, supply.entry["result"] == "supplied"
    present = (
        bool(entry["claims"]),
        bool(supply.disclosures),
        entry["as_of"] is not None,
        bool(entry["payload_digest"]),
    )
    if present != (supplied,) * 4 or (entry["corrects"] is not None and not supplied):
        raise InvalidInput(
            "CLAIMS_AND_RESULT",
            "Claims, disclosures, day and digest of the rows go with the result 'supplied', and only with it.",
            where=where,
        )
    if (entry["reason"] is not None) != (entry["result"] == "refused"):
        raise InvalidInput("REASON_AND_RESULT", "A refusal says why, and nothing else does.", where=where)
    if supplied and date.fromisoformat(entry["as_of"]) > shanghai_day(entry["queried_at"]):
        raise InvalidInput(
            "AS_OF_AFTER_QUERY",
            "The data is as of a day after the one on which the source was asked (Asia/Shanghai).",
            where=where,
            hint="Give the day that the rows describe.",
        )
    disclosed = [Disclosed.decode(item) for item in supply.disclosures]
    digests = {item.name: disclosure_digest(item.encoded, entry["sd_alg"]) for item in disclosed}
    if digests != entry["claims"] or len(disclosed) != len(digests):
        raise InvalidInput("CLAIM_DIFFERS", "The disclosures are not those whose digests were signed.", where=where)


def check_against(supply: Supply, basis: AnswerBasis) -> None:
    """Raise unless the answer stays within consent, request and template.

    ``Forbidden`` ``PROVIDER_NOT_AUTHORIZED``, ``FIELD_OUTSIDE_AUTHORIZATION``; ``InvalidInput``
    ``PROVISION_OUTSIDE_REQUEST``, ``CLAIM_OUTSIDE_RULE``; ``Conflict`` as ``_check_turn``.
    """
    entry = supply.entry
    if (entry["provider"], entry["source"]) != (basis.consent.provider, basis.consent.source):
        raise Forbidden("PROVIDER_NOT_AUTHORIZED", "The authorization does not name this provider.")
    if outside := sorted(set(entry["claims"]) - set(basis.consented["fields"])):
        raise Forbidden(
            "FIELD_OUTSIDE_AUTHORIZATION",
            f"The authorization does not cover: {', '.join(outside)}.",
            hint="Ask the subject for an authorization that covers the field.",
        )
    asked = {"template": basis.asked["template"], "engine": basis.template["engine"], "sd_alg": basis.asked["sd_alg"]}
    if other := [name for name, value in asked.items() if entry[name] != value]:
        raise InvalidInput(
            "PROVISION_OUTSIDE_REQUEST",
            f"The claims were made under other terms than were asked: {', '.join(other)}.",
            where=entry["id"],
            hint="Answer the task as it is.",
        )
    rules = {item["name"]: item["rule"] for item in basis.template["fields"]}
    for item in map(Disclosed.decode, supply.disclosures):
        if not fits(rules[item.name], item.value):
            raise InvalidInput("CLAIM_OUTSIDE_RULE", "The rule of the claim cannot give such a value.", where=item.name)
    _check_turn(entry, basis.before[-1] if basis.before else None)


def check_unseen(session: Session, supply: Supply, basis: AnswerBasis) -> None:
    """Raise ``Conflict`` ``CLAIM_DIGEST_SEEN`` for a digest that was signed before, but for the one it corrects.

    Of two certificates with one digest everybody would see that they say the same.
    """
    digests = set(supply.entry["claims"].values())
    statements = [log_store.statement(session, row.digest) for row in basis.before]
    own = {digest for statement in statements for digest in statement["claims"].values()}
    if session.scalar(select(SeenClaim.digest).where(SeenClaim.digest.in_(digests - own)).limit(1)) is not None:
        raise Conflict(
            "CLAIM_DIGEST_SEEN",
            "A digest of these claims was signed before: its salt is not fresh.",
            where=supply.entry["id"],
            hint="Take 16 fresh random bytes for each claim.",
        )
    session.add_all(SeenClaim(digest=digest, request_id=basis.consent.request_id) for digest in sorted(digests - own))


def check_withdrawal(supply: Supply, keys: Sequence[PartyKey], chain: ChainId) -> None:
    """Raise unless a correction brings its provider's withdrawal of the old provision, and nothing else does.

    ``InvalidInput`` ``WITHDRAWAL_AND_CORRECTION``; ``Forbidden`` ``SIGNER_NOT_PROVIDER``, ``LOG_SIGNATURE_INVALID``;
    ``Conflict`` ``ACT_SIGNATURE_REQUIRED``. ``keys`` are those by which the provider speaks: a
    reported one takes nothing back.
    """
    entry, withdrawn = supply.entry, supply.withdrawn
    wanted = (entry["corrects"], entry["provider"])
    given = (None, entry["provider"]) if withdrawn is None else (withdrawn["statement"], withdrawn["party"])
    if given != wanted or (withdrawn is None and supply.withdrawal is not None):
        raise InvalidInput(
            "WITHDRAWAL_AND_CORRECTION",
            "Whoever corrects withdraws the old provision, and nothing else.",
            where=entry["id"],
            hint="Sign the withdrawal of the provision that `corrects` names, and send it along.",
        )
    if withdrawn is None:
        return
    signers = [key for key in keys if entry_signed_by(withdrawn, key.account, key.public_key)]
    if not signers:
        raise Forbidden(
            "SIGNER_NOT_PROVIDER",
            "The withdrawal is not signed by the provider.",
            where=f"withdrawal {withdrawn['id']}",
        )
    _check_act(supply, signers[0], chain)


def _check_act(supply: Supply, key: PartyKey, chain: ChainId) -> None:
    """What the contract would refuse later is refused before anything is recorded."""
    suite, act = suite_of_key(key.public_key), supply.withdrawal
    message = withdrawals_message(chain, key.account, [hex_of(str(supply.entry["corrects"]))])
    if (act is None) != (suite is SM2SM3):
        raise Conflict(
            "ACT_SIGNATURE_REQUIRED",
            "The chain needs the provider's own signature of this withdrawal, but for a key of SM2.",
            where=supply.entry["id"],
            hint="Sign `to_sign` with the key that signed the entry, and hand in both.",
            account=key.account,
            to_sign=message.hex(),
        )
    if act is None:
        return
    point = suite.point_of(key.public_key)
    whole = act[64:] == (point if suite is ES256 else b"")
    if not whole or not suite.unaltered(act[:64]) or not suite.verify(point, message, act[:64], ""):
        raise Forbidden(
            "LOG_SIGNATURE_INVALID",
            "The withdrawal for the chain is not signed by the key that signed its entry.",
            where=key.account,
            hint="Sign the message of the withdrawal as it is.",
        )


def _check_turn(entry: Mapping[str, Any], last: Provision | None) -> None:
    """After a time-out the provider tries again, after a supply it corrects; any other answer is final."""
    if last is not None and last.result != "timed_out":
        require_open(last)
        if entry["corrects"] != reference(last.digest):
            raise Conflict(
                "ALREADY_SUPPLIED",
                "The provider has supplied under this authorization before.",
                hint="To correct what was supplied, name it in `corrects`.",
            )
    elif entry["corrects"] is not None:
        raise Conflict("NOTHING_TO_CORRECT", "Nothing was supplied under this authorization that could be corrected.")


def require_open(last: Provision) -> None:
    """Raise ``Conflict`` ``ALREADY_ANSWERED`` if this answer is the last that there can be."""
    if last.result not in ("supplied", "timed_out"):
        raise Conflict("ALREADY_ANSWERED", f"The provider has answered before: {last.result}.")
