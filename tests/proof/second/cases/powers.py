"""Cases for comparing the verifiers: reported keys, keys that were bound late, withdrawals with such keys, and the
waiting period and the threshold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from ledger.proof.facts import LienFact, ProposedKey, WithdrawalFact
from ledger.proof.jws import public_jwk
from ledger.proof.report import Report
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    CHAIN,
    DEVICE,
    EVIDENCE_ANCHORED,
    GRID,
    ISSUER,
    SUBJECT,
    TAX,
    Actor,
)
from tests.support.bundles.genuine import GENUINE, REGISTERED
from tests.support.bundles.made import Made
from tests.support.bundles.p256_cast import P_BANK, P_DEVICE, P_SUBJECT, P_TAX, p256_usage
from tests.support.bundles.sm_cast import SM_DEVICE, SM_SUBJECT, SM_TAX, sm_usage

Attack = Callable[[], Report]
ENDS = ("valid_to", "reported_at", "compromised_at")
PROPOSALS = (None, ProposedKey(3, 0, EVIDENCE_ANCHORED - 1), ProposedKey(1, 5, AT + 1), ProposedKey(0, 0, 0))
# The subject itself supplies the tax data. It is subject and provider, so it can withdraw both the consent and the
# provision.
OWN_DATA = usage(
    request={"sources": [{"source": "tax", "provider": SUBJECT.id}, {"source": "power", "provider": GRID.id}]},
    consent={"provider": SUBJECT.id},
    supply={"provider": SUBJECT.id},
    claims={"providers": [SUBJECT.id, GRID.id]},
    tax_key=SUBJECT,
)


def knowing_key(made: Made, key: Actor, **members: Any) -> Made:
    """Return the bundle; in its facts, ``key`` belongs to one more account of a party."""
    own = {"party": key.id, "key": key.signer.public_key}
    fact = replace(made.facts.accounts[SUBJECT.account], **own | members)
    return made.knowing(accounts={**made.facts.accounts, key.account: fact})


# --- validity of keys -------------------------------------------------------------------------------------------------


def keys() -> Iterator[Made]:
    """Yield every combination of retired, reported and compromised keys, and keys with different proposers."""
    for made, actor, anchored in (
        (GENUINE, ISSUER, ANCHORED),
        (REGISTERED, ISSUER, ANCHORED),
        *((GENUINE, actor, EVIDENCE_ANCHORED) for actor in (BANK, SUBJECT, TAX)),
    ):
        for times in product((0, anchored, anchored + 1), repeat=3):
            yield made.account(actor, **dict(zip(ENDS, times, strict=True)))
        for start, proposal in product((anchored - 1, anchored, anchored + 1), PROPOSALS):
            yield made.account(actor, valid_from=start, proposal=proposal)
        yield made.account(actor, valid_from=anchored + 1, reported_at=anchored + 2)
        yield made.account(actor, valid_from=anchored, reported_at=anchored - 1)


def held_by_an_account() -> Made:
    """Return a certificate whose holder key is also the key of one of the subject's accounts."""
    jwk = public_jwk(SUBJECT.signer.public_key).to_dict()
    return usage(claims={"cnf": {"jwk": jwk}}, consent={"holder_key": jwk}).presenting("tax_band", holder=SUBJECT)


def presenting() -> Iterator[tuple[str, Made]]:
    """Yield certificates whose holder key belongs to an account. A presentation is valid if the account is retired or
    not valid yet, but not if it is reported.
    """
    for made, key in ((GENUINE, DEVICE), (p256_usage(), P_DEVICE), (sm_usage(), SM_DEVICE)):
        for times in product((0, AT, AT + 1), repeat=3):
            yield f"{key.suite} {times}", knowing_key(made, key, **dict(zip(ENDS, times, strict=True)))
        yield f"{key.suite} to come", knowing_key(made, key, valid_from=AT + 1)
        yield f"{key.suite} of the bank", knowing_key(made, key, party=BANK.id, reported_at=AT - 1)
        listed = knowing_key(made, key, reported_at=AT)
        yield f"{key.suite} without a binding", listed.presenting("tax_band", holder=None)
        for other in (DEVICE, P_DEVICE, SM_DEVICE):
            yield f"{key.suite} listed with {other.suite}", listed.account(key, key=other.signer.public_key)
    yield "registration", knowing_key(REGISTERED, DEVICE, reported_at=1)


KEYS: dict[str, Attack] = {
    **{f"presented by the account's key: {name}": made.verify for name, made in presenting()},
    **{f"key {place}": made.verify for place, made in enumerate(keys())},
    **{
        f"consent anchored {late} after the key's report": lambda late=late: (
            GENUINE.anchoring(0, ANCHORED).account(SUBJECT, reported_at=ANCHORED - late).verify()
        )
        for late in (-1, 0, 1)
    },
    **{
        f"presented by an account reported at {moment - AT}": lambda moment=moment: (
            held_by_an_account().account(SUBJECT, reported_at=moment).verify()
        )
        for moment in (EVIDENCE_ANCHORED, EVIDENCE_ANCHORED + 1, AT)
    },
    "presented by a key that is a reported account's": lambda: knowing_key(GENUINE, DEVICE, reported_at=1).verify(),
    "the issuer's key reported, and no anchor says when it signed": lambda: GENUINE.account(
        ISSUER, reported_at=ANCHORED + 1
    ).verify_changed(drop="anchors.1"),
    "another key of the issuer reported": lambda: knowing_key(
        GENUINE, replace(ISSUER, suite="ES256"), reported_at=1
    ).verify(),
}

# --- waiting period and threshold -------------------------------------------------------------------------------------

HALVES = ("delay", "threshold")
NO_HALVES: list[Any] = [None, True, False, -1, 2**53, 1.0, "1", []]
CHAINS: dict[str, Attack] = {
    **{
        f"ledger of {name} {value}": lambda name=name, value=value: usage(
            chain=replace(CHAIN, **{name: value})
        ).verify()
        for name in HALVES
        for value in (0, 1, 2, 3, 86_399, 86_400, 259_200, 2**53 - 1)
    },
    **{
        f"bundle of {name} {value!r}": lambda name=name, value=value: GENUINE.verify_changed((f"chain.{name}", value))
        for name in HALVES
        for value in (*NO_HALVES, getattr(CHAIN, name), getattr(CHAIN, name) + 1)
    },
    **{f"bundle without {name}": lambda name=name: GENUINE.verify_changed(drop=f"chain.{name}") for name in HALVES},
}

# --- withdrawals ------------------------------------------------------------------------------------------------------


def posted(made: Made, actor: Actor, of: str, at: int, reported_at: int) -> Made:
    """Return the bundle with two withdrawals on the chain: one made with a key that was never reported, one made with a
    key that was reported.
    """
    known = (actor.id, made.statement(of))
    return made.knowing(withdrawals={**made.facts.withdrawals, known: WithdrawalFact(at, reported_at)})


def on_chain() -> Iterator[Made]:
    for made, actor, of in (
        (GENUINE, SUBJECT, "authorization"),
        (GENUINE, TAX, "provision"),
        (OWN_DATA, SUBJECT, "authorization"),
        (OWN_DATA, SUBJECT, "provision"),
    ):
        for at, reported_at in product((0, AT - 6, AT, AT + 1), repeat=2):
            yield posted(made, actor, of, at, reported_at)
    for actor, of in ((BANK, "authorization"), (TAX, "authorization"), (SUBJECT, "provision"), (ISSUER, "provision")):
        yield posted(GENUINE, actor, of, AT, AT)


def by_entry() -> Iterator[Made]:
    """Yield bundles with a withdrawal entry that was anchored at ``AT``, signed with a key that signed nothing else."""
    for actor, of, key in ((SUBJECT, "authorization", P_SUBJECT), (TAX, "provision", P_TAX)):
        made = GENUINE.withdrawing(actor, AT, of=of, key=key)
        yield from (knowing_key(made, key, valid_from=start) for start in (AT - 1, AT, AT + 1))
        for times in product((0, AT, AT + 1), repeat=3):
            yield knowing_key(made, key, **dict(zip(ENDS, times, strict=True)))
        yield knowing_key(made, key, valid_from=AT, reported_at=AT - 1)
        yield knowing_key(made, key, valid_from=AT + 1, reported_at=AT + 2)
        yield knowing_key(made, key, party=BANK.id, reported_at=AT)
        for reported in (0, AT):
            yield knowing_key(made, key, reported_at=reported).account(key, key=P_BANK.signer.public_key)
    for actor, of, key in ((SUBJECT, "authorization", SM_SUBJECT), (TAX, "provision", SM_TAX)):
        made = GENUINE.withdrawing(actor, AT, of=of, key=key)
        yield from (knowing_key(made, key, **{end: AT}) for end in ENDS)


def by_others() -> Iterator[Made]:
    """Yield bundles with a withdrawal entry that has the wrong signer: a key that does not belong to the party named in
    the entry, or a party that did not sign the withdrawn statement.
    """
    for actor, of, party in (
        (BANK, "authorization", SUBJECT),
        (BANK, "provision", TAX),
        (TAX, "authorization", TAX),
        (SUBJECT, "provision", SUBJECT),
    ):
        key = replace(actor, suite="ES256")
        made = GENUINE.withdrawing(actor, AT, of=of, party=party.id, key=key)
        yield from (knowing_key(made, key, reported_at=reported) for reported in (0, AT - 1))


def by_entry_and_on_chain() -> Iterator[Made]:
    """Yield bundles in which one party is subject and provider; it withdraws by an entry and also on the chain."""
    for of in ("authorization", "provision"):
        made = OWN_DATA.withdrawing(SUBJECT, AT, of=of, key=P_SUBJECT)
        yield from (knowing_key(made, P_SUBJECT, **{end: AT}) for end in ENDS)
        for times in ((AT - 6, 0), (0, AT - 6), (AT + 1, AT + 1)):
            yield posted(knowing_key(made, P_SUBJECT, reported_at=AT), SUBJECT, of, *times)


WITHDRAWN: dict[str, Made] = {
    f"{name} {place}": made
    for name, many in (
        ("withdrawal on the chain", on_chain()),
        ("withdrawal by an entry", by_entry()),
        ("withdrawal by others", by_others()),
        ("withdrawal by an entry and on the chain", by_entry_and_on_chain()),
    )
    for place, made in enumerate(many)
}

# --- facts files ------------------------------------------------------------------------------------------------------

LADEN = (
    posted(GENUINE, SUBJECT, "authorization", AT + 1, AT + 2)
    .account(SUBJECT, proposal=ProposedKey(3, 0, 1))
    .account(TAX, proposal=ProposedKey(1, 5, 2), reported_at=AT)
    .status(("suspended", "court", AT - 9), ("active", "lifted", AT - 6))
    .on_hold((("authority", "supervisor"), "court", AT - 9), ((), "lifted", AT - 6))
    .used(AT - 9)
)
"""A bundle with a key proposed by its party, a key proposed by two officers, both times of a withdrawal, histories."""
PLEDGED = REGISTERED.asset(liens=(LienFact(BANK.id, 1),), annulled_ancestor="0a" * 32, objections=1)


def spelled_files() -> Iterator[bytes]:
    """Yield the same facts with other spellings of the first proposal and of the withdrawal."""
    text = json.dumps(LADEN.facts.to_dict())
    for old in ('"by": 3, "confirmed_by": 0, "at": 1', f'"at": {AT + 1}, "reported_at": {AT + 2}'):
        assert text.count(old) == 1
        first, number = old.split(", ")[0].split(": ")
        for new in (old, f"{old}, {old}", f"{old}, {first}: {number}", old.replace(number, f"{number}.0", 1)):
            yield text.replace(old, new).encode()
        for other in ("1e0", "-0", "-1", "01", "null", "true", '"1"', "[]", "{}", str(2**53 - 1), str(2**53), "NaN"):
            yield text.replace(old, old.replace(f"{first}: {number}", f"{first}: {other}")).encode()
    proposal = '{"by": 3, "confirmed_by": 0, "at": 1}'
    for other in ("[]", "{}", "0", "false", '""', "[3, 0, 1]", f"[{proposal}]", '"null"', '{"by": 3}', "null"):
        yield text.replace(proposal, other).encode()
