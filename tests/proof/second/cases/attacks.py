"""Cases for comparing the verifiers: ledgers, positions, spellings, evidence, withdrawals, holds, key bindings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from ledger.proof.bundle import ChainId
from ledger.proof.jws import sign_compact, sign_entry
from ledger.proof.report import Report
from ledger.proof.sdjwt import CERTIFICATE_TYP
from ledger.proof.verifier import Expectation
from tests.proof.second.cases.limits import binding, bound_by
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    CERTIFICATE,
    CHAIN,
    DEVICE,
    EVIDENCE_ANCHORED,
    EXPECT,
    EXPIRES,
    FIRST_SEQ,
    GRID,
    ISSUER,
    NONCE,
    OTHER_ISSUER,
    SCENARIO,
    SUBJECT,
    TAX,
    Entry,
    as_text,
)
from tests.support.bundles.genuine import GENUINE, REGISTERED
from tests.support.bundles.made import Made, batch
from tests.support.bundles.p256_cast import P_DEVICE, P_HOLDER, P_SUBJECT, p256_usage
from tests.support.bundles.sm_cast import SM_DEVICE, SM_HOLDER, SM_SUBJECT

Attack = Callable[[], Report]
P256 = p256_usage()


# --- ledgers and positions --------------------------------------------------------------------------------------------


def on_chain(**changes: Any) -> Made:
    """Return a bundle and facts that both name a changed chain. The entries were signed for the original chain."""
    chain: ChainId = replace(CHAIN, **changes)
    return replace(GENUINE, bundle=replace(GENUINE.bundle, chain=chain)).knowing(chain=chain)


OTHERS = {
    name.name: (getattr(CHAIN, name.name) + 1 if name.type == "int" else getattr(CHAIN, name.name)[:-2] + "ff")
    for name in fields(ChainId)
}
SWAPPED = {"party_registry": CHAIN.asset_registry, "asset_registry": CHAIN.party_registry}
LEDGERS: dict[str, Attack] = {
    **{f"another {name} all over": lambda name=name: on_chain(**{name: OTHERS[name]}).verify() for name in OTHERS},
    **{
        f"another {name} in the facts": lambda name=name: GENUINE.knowing(
            chain=replace(CHAIN, **{name: OTHERS[name]})
        ).verify()
        for name in OTHERS
    },
    **{
        f"another {name} in the bundle": lambda name=name: GENUINE.verify_changed((f"chain.{name}", OTHERS[name]))
        for name in OTHERS
    },
    "registries exchanged": lambda: on_chain(**SWAPPED).verify(),
    "delay and threshold exchanged": lambda: on_chain(delay=CHAIN.threshold, threshold=CHAIN.delay).verify(),
}
OTHER_BATCH = replace(CERTIFICATE, batch=9)
OTHER_LOG = replace(CERTIFICATE, issuer=OTHER_ISSUER.no)
SEQ = FIRST_SEQ + CERTIFICATE.index
PLACES: dict[str, Attack] = {
    **{
        f"anchored again {index} after {first}": lambda index=index, first=first: GENUINE.anchored_again(
            replace(OTHER_BATCH, index=index), first
        ).verify()
        for index, first in ((5, FIRST_SEQ), (6, FIRST_SEQ), (4, FIRST_SEQ), (0, SEQ), (0, SEQ + 1), (3, SEQ - 3))
    },
    "anchored again in another log": lambda: GENUINE.anchored_again(OTHER_LOG, FIRST_SEQ).verify(),
    "issuer of another number": lambda: GENUINE.party(ISSUER, no=OTHER_ISSUER.no).verify(),
    "issuer of the number of the other log": lambda: (
        GENUINE.party(ISSUER, no=OTHER_ISSUER.no).anchored_again(OTHER_LOG, FIRST_SEQ).verify()
    ),
    "position in another log": lambda: GENUINE.verify_changed(("position.issuer", OTHER_ISSUER.no)),
    "evidence in another log": lambda: GENUINE.verify_changed(("evidence.0.position.issuer", OTHER_ISSUER.no)),
    "registration at another number": lambda: registration(claims={"seq": SEQ + 1}).verify(),
    **{
        f"registration anchored again after {first}": lambda first=first: REGISTERED.anchored_again(
            OTHER_BATCH, first
        ).verify()
        for first in (FIRST_SEQ, FIRST_SEQ + 1)
    },
    **{
        f"accredited from {start} to {end}": lambda start=start, end=end: GENUINE.party(
            ISSUER, accreditations={SCENARIO: (start, end)}
        ).verify()
        for start, end in ((ANCHORED, ANCHORED + 1), (ANCHORED + 1, EXPIRES), (0, ANCHORED), (0, 0))
    },
    "issuer with other offices too": lambda: GENUINE.party(ISSUER, roles=("admin", "issuer")).verify(),
    "signed in the name of another issuer": lambda: usage(claims={"iss": OTHER_ISSUER.id}).verify(),
}


def spelled(made: Made, text: str) -> Report:
    """Verify a certificate whose issuer signed and anchored this text as the payload."""
    token = sign_compact(text.encode(), ISSUER.signer, CERTIFICATE_TYP)
    tree, anchor = batch(OTHER_BATCH, FIRST_SEQ, 7, {OTHER_BATCH.index: text}, ANCHORED)
    shown = made.presenting("tax_band", token=token, holder=DEVICE if made is GENUINE else None)
    proof = tuple(tree.inclusion_proof(OTHER_BATCH.index))
    return shown._anchored(anchor, position=OTHER_BATCH, proof=proof).status(of=OTHER_BATCH).verify()


def with_lists_turned(claims: Entry) -> str:
    """Return JSON that is canonical except in lists: the objects in lists have their members in reverse order."""
    turned = {
        name: [dict(reversed(each.items())) if isinstance(each, dict) else each for each in claims[name]]
        for name in claims
        if isinstance(claims[name], list)
    }
    return json.dumps(claims | turned, separators=(",", ":"), ensure_ascii=False)


def counting(number: int) -> Callable[[Entry], str]:
    return lambda claims: as_text(claims).replace('"records":120000', f'"records":{number}')


SPELLINGS: dict[str, Callable[[Entry], str]] = {
    "canonical": as_text,
    "with spaces": json.dumps,
    "in another order": lambda claims: json.dumps(dict(reversed(claims.items())), separators=(",", ":")),
    "in another order in lists": with_lists_turned,
    "with escapes": lambda claims: as_text(claims).replace("2026", "\\u0032026"),
    "with a line end": lambda claims: as_text(claims) + "\n",
    **{f"with {number}": counting(number) for number in (2**53 - 1, 2**53, 1 - 2**53, -(2**53), 2**64, -1)},
}
SPELLED: dict[str, Attack] = {
    f"payload of class {made.claims['class']} {how}": lambda made=made, spell=spell: spelled(made, spell(made.claims))
    for made in (GENUINE, REGISTERED)
    for how, spell in SPELLINGS.items()
}


def other_evidence() -> Iterator[Attack]:
    """Yield bundles with additional evidence: further entries of the log, or a statement that the evidence already
    contains.
    """
    texts = {item.statement["type"]: item.entry for item in GENUINE.bundle.evidence}
    texts["certificate"] = as_text(REGISTERED.claims)
    texts["usage certificate"] = as_text(GENUINE.claims)
    for text in (*texts.values(), as_text(dict(json.loads(texts["request"])) | {"id": "01K5M0000000000000000000ZZ"})):
        yield GENUINE.carrying(text, EVIDENCE_ANCHORED).verify
    consent = {name: value for name, value in json.loads(texts["authorization"]).items() if name != "signature"}
    yield GENUINE.carrying(as_text(sign_entry(consent, TAX.signer)), EVIDENCE_ANCHORED).verify
    yield lambda: GENUINE.verify_changed(("evidence", []))


EVIDENCE: dict[str, Attack] = {f"evidence more {place}": attack for place, attack in enumerate(other_evidence())}


# --- withdrawals, holds, key bindings ---------------------------------------------------------------------------------


def withdrawals() -> Iterator[Made]:
    for actor, of in ((SUBJECT, "authorization"), (TAX, "provision")):
        for at in (ANCHORED, AT, AT + 1):
            made = GENUINE.withdrawing(actor, at, of=of)
            yield from (made, GENUINE.withdrawn((actor, at), of=of))
            yield from (made.account(actor, valid_to=end) for end in (at, at + 1))
            yield from (made.account(actor, compromised_at=stolen) for stolen in (at, at + 1))
        yield GENUINE.withdrawing(actor, AT, of=of, reason="none")
        yield GENUINE.withdrawing(actor, AT, of=of, statement="sha-256:" + "77" * 32)
        yield from (GENUINE.withdrawing(other, AT, of=of) for other in (BANK, ISSUER, SUBJECT, TAX, GRID))
        yield from (GENUINE.withdrawing(actor, AT, of=of, key=key) for key in (BANK, ISSUER, GRID, DEVICE))
        yield from (GENUINE.withdrawing(BANK, AT, of=of, party=actor.id), GENUINE.withdrawn((actor, 0), of=of))
    for of in ("request", "template", "certificate"):
        yield from (GENUINE.withdrawing(actor, AT, of=of) for actor in (BANK, SUBJECT, ISSUER))
    carried = GENUINE.withdrawing(SUBJECT, AT).bundle.evidence[-1]
    yield GENUINE.carrying(carried.entry, AT, issuer=OTHER_ISSUER)
    yield GENUINE.withdrawn((SUBJECT, AT + 1)).withdrawing(SUBJECT, AT)
    yield p256_usage().withdrawing(SUBJECT, AT, key=P_SUBJECT)
    yield usage(subject_key=SM_SUBJECT).withdrawing(SUBJECT, AT, key=SM_SUBJECT)
    yield GENUINE.withdrawing(SUBJECT, AT, key=SM_SUBJECT)


LIFTED = (
    (("authority",), "court", AT - 9),
    (("authority", "supervisor"), "fraud", AT - 6),
    (("supervisor",), "none", AT),
)
HELD = ("certificate", "request", "authorization", "provision", "template")


def holds() -> Iterator[Made]:
    for of in HELD:
        yield from (GENUINE.on_hold(*LIFTED[:count], of=of) for count in range(4))
        yield GENUINE.on_hold(*LIFTED, ((), "lifted", AT + 1), of=of)
        yield GENUINE.on_hold(((), "none", AT), of=of)


def unlisted() -> Iterator[Made]:
    """Yield facts from which one item was removed."""
    for name in ("anchors", "status", "holds", "uses", "withdrawals", "accounts", "parties"):
        listed = getattr(GENUINE.facts, name)
        for key in listed:
            yield GENUINE.knowing(**{name: {other: listed[other] for other in listed if other != key}})
    yield REGISTERED.knowing(assets={})


AFTERWARDS: dict[str, Made] = {
    f"{name} {place}": made
    for name, many in (("withdrawal", withdrawals()), ("hold", holds()), ("unlisted", unlisted()))
    for place, made in enumerate(many)
}
RECEIVED = (None, AT - 601, AT - 600, AT - 301, AT - 300, AT, AT + 600, AT + 601)
BINDINGS: dict[str, Attack] = {
    **{
        f"bound at {at - AT}, received at {received}": lambda at=at, received=received: GENUINE.presenting(
            "tax_band", at=at
        ).verify(expect=replace(EXPECT, received=received))
        for at in (AT - 601, AT - 600, AT, AT + 300, AT + 301)
        for received in RECEIVED
    },
    **{
        f"bound by {changes}": lambda changes=changes: binding(bound_by(**changes))
        for changes in (
            *({"iat": iat} for iat in (None, True, "now", str(AT), [AT], ["\ud800"], 0, 2**53 - 1)),
            *({"aud": aud} for aud in (None, SUBJECT.id, [BANK.id], "")),
            *({"nonce": nonce} for nonce in (None, "", "yesterday's", [NONCE])),
            *({"sd_hash": sd_hash} for sd_hash in (None, "", "A" * 43)),
            {"exp": 2**40},
        )
    },
    "bound to no nonce": lambda: binding(bound_by(nonce=None), expect=Expectation(BANK.id)),
    "bound to no consumer": lambda: binding(bound_by(aud=None), expect=Expectation(nonce=NONCE)),
    "bound by a list": lambda: binding(b"[]"),
    "bound by two members of one name": lambda: binding(bound_by()[:-1] + b',"iat":1}'),
    "bound by a float": lambda: binding(bound_by()[:-1] + b',"x":1.0}'),
    "bound with spaces": lambda: binding(bound_by().replace(b":", b" : ")),
    "registration bound": REGISTERED.presenting(holder=DEVICE).verify,
    "registration with a disclosure": lambda: REGISTERED.verify_changed(
        ("certificate", f"{REGISTERED.bundle.certificate}{GENUINE.hidden[0].encoded}~")
    ),
    "bound to a P-256 key": lambda: (
        usage(claims=P_HOLDER, consent={"holder_key": P_HOLDER["cnf"]["jwk"]})
        .presenting("tax_band", holder=P_DEVICE)
        .verify()
    ),
    "bound to an SM2 key": lambda: (
        usage(claims=SM_HOLDER, consent={"holder_key": SM_HOLDER["cnf"]["jwk"]})
        .presenting("tax_band", holder=SM_DEVICE)
        .verify()
    ),
}
