"""Checks a provider's answer. The platform accepts only claims that the provider signed, and no rows of data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.domain.days import shanghai_day
from ledger.domain.digests import hex_of, reference
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.known import KnownKey
from ledger.proof.acts import withdrawals_message
from ledger.proof.bundle import ChainId
from ledger.proof.jws import entry_signed_by
from ledger.proof.sdjwt import Disclosed, disclosure_digest
from ledger.proof.suites.suite import ES256, SM2SM3, suite_of_key
from ledger.provider.supply import Supply
from ledger.usage.expiry import require_active

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EarlierAnswer:
    """The statement digest (hex) and the result of an earlier answer."""

    digest: str
    result: str


@dataclass(frozen=True, slots=True)
class AnswerBasis:
    """The statements that an answer rests on, and the earlier answers to the same authorization, the oldest first.

    ``consent`` is a row with columns of the authorization; its columns ``asked`` and ``request_state`` are the digest
    and the state of the request. ``spaces`` maps each field of the template to the function that ``space_of`` returns.
    """

    consent: Any
    consented: Entry
    asked: Entry
    template: Entry
    spaces: Mapping[str, Callable[[Any], bool]]
    before: list[EarlierAnswer]


def check_by_itself(supply: Supply, where: str) -> list[Disclosed]:
    """Return the decoded disclosures of the answer. Raises ``InvalidInput`` unless the answer's claims, digests and
    result agree. The caller must check the form of the answer first.
    """
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
            "An answer with the result 'supplied' must have claims, disclosures, the day of the data and the digest of "
            "the rows. Any other answer must have none of these, and must not correct an earlier answer.",
            where=where,
        )
    if (entry["reason"] is not None) != (entry["result"] == "refused"):
        raise InvalidInput(
            "REASON_AND_RESULT", "A refusal needs a reason; any other answer must not have a reason.", where=where
        )
    if supplied and date.fromisoformat(entry["as_of"]) > shanghai_day(entry["queried_at"]):
        raise InvalidInput(
            "AS_OF_AFTER_QUERY",
            "The day of the data is later than the day of the query (Asia/Shanghai).",
            where=where,
            hint="Give the last day that the rows cover. It cannot be later than the day of the query.",
        )
    disclosed = [Disclosed.decode(item) for item in supply.disclosures]
    # The given text is hashed without encoding the claim again, because ``decode`` accepts only the text that
    # ``encoded`` would return.
    digests = {
        item.name: disclosure_digest(given, entry["sd_alg"])
        for item, given in zip(disclosed, supply.disclosures, strict=True)
    }
    if digests != entry["claims"] or len(disclosed) != len(digests):
        raise InvalidInput("CLAIM_DIFFERS", "The disclosures do not match the signed digests.", where=where)
    return disclosed


def check_against(entry: Entry, disclosed: Sequence[Disclosed], basis: AnswerBasis) -> None:
    """Raise if the answer exceeds the authorization, the request or the template.

    Raises ``Forbidden`` ``PROVIDER_NOT_AUTHORIZED``, ``FIELD_OUTSIDE_AUTHORIZATION``; ``InvalidInput``
    ``PROVISION_OUTSIDE_REQUEST``, ``CLAIM_OUTSIDE_RULE``; the errors of ``check_turn``.
    """
    if (entry["provider"], entry["source"]) != (basis.consent.provider, basis.consent.source):
        raise Forbidden("PROVIDER_NOT_AUTHORIZED", "The authorization does not name this provider.")
    if outside := sorted(set(entry["claims"]) - set(basis.consented["fields"])):
        raise Forbidden(
            "FIELD_OUTSIDE_AUTHORIZATION",
            f"The authorization does not cover: {', '.join(outside)}.",
            hint="Ask the subject for an authorization that covers the field.",
        )
    terms = {"template": basis.asked["template"], "engine": basis.template["engine"], "sd_alg": basis.asked["sd_alg"]}
    if other := [name for name, value in terms.items() if entry[name] != value]:
        raise InvalidInput(
            "PROVISION_OUTSIDE_REQUEST",
            f"The answer does not keep these terms of the request: {', '.join(other)}.",
            where=entry["id"],
            hint="Answer the task without changing its terms.",
        )
    for item in disclosed:
        if not basis.spaces[item.name](item.value):
            raise InvalidInput(
                "CLAIM_OUTSIDE_RULE", "The rule of the claim cannot produce this value.", where=item.name
            )
    check_turn(entry, basis)


def check_withdrawal(supply: Supply, keys: Sequence[KnownKey], chain: ChainId) -> None:
    """Raise an error if a correction comes without the provider's withdrawal of the old provision, or if any other
    answer comes with a withdrawal.

    ``keys`` are the keys with which the provider can act; a key that is reported lost cannot withdraw a provision.
    Raises ``InvalidInput`` ``WITHDRAWAL_AND_CORRECTION``; ``Forbidden`` ``SIGNER_NOT_PROVIDER``,
    ``LOG_SIGNATURE_INVALID``; ``Conflict`` ``ACT_SIGNATURE_REQUIRED``.
    """
    entry, withdrawn = supply.entry, supply.withdrawn
    expected = (entry["corrects"], entry["provider"])
    given = (None, entry["provider"]) if withdrawn is None else (withdrawn["statement"], withdrawn["party"])
    if given != expected or (withdrawn is None and supply.withdrawal is not None):
        raise InvalidInput(
            "WITHDRAWAL_AND_CORRECTION",
            "A correction must come with the withdrawal of the old provision, any other answer without a withdrawal.",
            where=entry["id"],
            hint="For a correction, sign the withdrawal of the provision that `corrects` names; send both together.",
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


def _check_act(supply: Supply, key: KnownKey, chain: ChainId) -> None:
    """Raise if the contract would refuse the act. The caller checks this before it records anything."""
    suite, act = suite_of_key(key.public_key), supply.withdrawal
    message = withdrawals_message(chain, key.account, [hex_of(str(supply.entry["corrects"]))])
    if (act is None) != (suite is SM2SM3):
        raise Conflict(
            "ACT_SIGNATURE_REQUIRED",
            "Unless the key is an SM2 key, the chain requires the provider's own signature of this withdrawal.",
            where=supply.entry["id"],
            hint="Sign `to_sign` with the key that signed the entry, and submit this signature with the entry.",
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
            "The act for the chain is not signed by the key that signed the withdrawal entry.",
            where=key.account,
            hint="With the key that signed the entry, sign the message of the withdrawal without changing the message.",
        )


def check_turn(entry: Mapping[str, Any], basis: AnswerBasis) -> None:
    """Raise ``Conflict`` unless this answer may follow the earlier answers.

    If the provider has supplied data, only a correction of its last answer may follow. If it has given no answer yet,
    or its last answer is a time-out, this answer must not be a correction. After a refusal or any other result, no
    answer may follow.
    """
    last = basis.before[-1] if basis.before else None
    if last is not None and last.result != "timed_out":
        require_open(last)
        if entry["corrects"] != reference(last.digest):
            raise Conflict(
                "ALREADY_SUPPLIED",
                "The provider has already supplied data under this authorization.",
                hint="To correct the earlier answer, name it in `corrects`.",
            )
    elif entry["corrects"] is not None:
        raise Conflict("NOTHING_TO_CORRECT", "There is no earlier answer under this authorization to correct.")


def require_answerable(basis: AnswerBasis, now: int) -> None:
    """Raise ``Conflict`` if the authorization is not active at ``now`` (seconds UTC), or the request is cancelled."""
    consent = basis.consent
    require_active(consent, basis.consented["valid_to"], now)
    if consent.request_state == "cancelled":
        raise Conflict(
            "REQUEST_NOT_AUTHORIZED",
            "The request is cancelled, so nothing can be supplied for it.",
            where=f"request {consent.request_id}",
            hint="The consumer cancelled it. 请求已取消，不再提供数据。",
        )


def require_open(last: EarlierAnswer) -> None:
    """Raise ``Conflict`` ``ALREADY_ANSWERED`` if no further answer may follow the answer ``last``."""
    if last.result not in ("supplied", "timed_out"):
        raise Conflict("ALREADY_ANSWERED", f"The provider has already answered: {last.result}.")
