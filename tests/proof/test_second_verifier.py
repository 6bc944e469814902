"""Two verifiers asked the same: ``ledger.proof`` and ``second``, which was written from docs/protocol.md alone.

Where they differ, the document or the code is wrong. Nothing of the comparison is excepted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import islice
from operator import getitem
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.entries import validate_entry
from ledger.errors import InvalidInput
from ledger.proof.bundle import Bundle
from ledger.proof.facts import Facts
from ledger.proof.report import Report, Verdict
from ledger.proof.verifier import Expectation, verify
from tests.proof import builder, test_fuzz, test_named_attacks, test_suites
from tests.proof import test_verifier as table
from tests.proof.builder import Made, registration, usage
from tests.proof.cast import (
    ANCHORED,
    AT,
    AUTHORIZATION,
    BANK,
    BLOCK_TIME,
    DEVICE,
    EVIDENCE_ANCHORED,
    EXPIRES,
    ISSUER,
    NONCE,
    SUBJECT,
    TAX,
    Entry,
)
from tests.proof.hostile import PAYLOAD, decoded
from tests.proof.second.checks import verify as second_verify
from tests.proof.second.entries import CERTIFICATES, ENTRIES, require_entry
from tests.proof.second.notation import Refused
from tests.proof.test_fuzz import damaged, spots

REPOSITORY = Path(__file__).parents[2]
GENUINE = usage()
REGISTERED = registration()


def both(bundle: Bundle | bytes, facts: Facts, at: int, expect: Expectation) -> Report:
    """Our report, if the second verifier finds the same checks to fail."""
    report = verify(bundle, facts, at, expect)
    raw = bundle if isinstance(bundle, bytes) else bundle.to_bytes()
    told = json.loads(facts.to_bytes())
    failed = second_verify(raw, told, at, expect.consumer, expect.nonce, expect.max_facts_age)
    assert failed == [check.number for check in report.checks if check.verdict is Verdict.FAILED], report.first_failure
    assert (failed == []) is report.valid
    return report


@pytest.fixture(autouse=True)
def compared(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """Whatever these tests have verified is verified by both, and stands here."""
    reports: list[Report] = []

    def recorded(*asked: Any) -> Report:
        reports.append(both(*asked))
        return reports[-1]

    monkeypatch.setattr(builder, "verify", recorded)
    monkeypatch.setattr(table, "verify", recorded)
    return reports


A_SECOND_LONGER = {"valid_from": table.FROM["valid_from"] - 1}
ATTACKS: dict[str, Callable[[], Report]] = {
    "a second longer than allowed": lambda: (
        usage(template={"max_validity_days": table.WHOLE_DAYS}, request=A_SECOND_LONGER, consent=A_SECOND_LONGER)
    ).verify(),
    "of another source, and nothing claimed from it": lambda: usage(
        hidden={"power_trend": 3}, disclosed=["power_trend"], supply={"source": "power"}
    ).verify(),
    **{name: report for name, (_, _, _, report) in zip(table.IDS, table.FAILURES, strict=True)},
    **{f"just allowed: {limit}": lambda made=made: made().verify() for limit, made in table.AT_THE_LIMIT.items()},
    **{name: attack for name, (_, _, attack) in test_named_attacks.ALL.items()},
    # SM2 takes hundreds of times as long to verify: of its attacks on entries one is enough here.
    "SM: under another identity": test_suites.ATTACKS["authorization under another identity"][2],
    **{f"SM: {name}": attack for name, (number, _, attack) in test_suites.ATTACKS.items() if number < 11},
    **{f"SM: genuine {name}": lambda make=make: make().verify() for name, (_, make) in test_suites.WANTING.items()},
}


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_and_limit(name: str, compared: list[Report]) -> None:
    ATTACKS[name]()
    assert compared


LIFE = (("suspended", "court", AT - 9), ("active", "lifted", AT - 6), ("suspended", "court", AT - 3))
JUDGED: dict[str, Made] = {
    "genuine": GENUINE,
    "registered": REGISTERED,
    "status": GENUINE.status(*LIFE),
    "status of the consent": GENUINE.status(*LIFE, of=AUTHORIZATION),
    "status of the registration": REGISTERED.status(*LIFE),
    "uses": GENUINE.used(AT - 9, AT - 6, AT, AT + 1),
    "withdrawn": GENUINE.withdrawn((BANK, ANCHORED), (SUBJECT, AT)),
    "withdrawn by others": GENUINE.withdrawn((BANK, ANCHORED), (TAX, AT)),
    "dated ahead": usage(claims={"nbf": AT}),
    "consented for less": usage(consent={"valid_to": AT + 1}, claims={"exp": AT + 1}),
    "asset handed on": REGISTERED.held((SUBJECT, ANCHORED), (BANK, AT - 6), (SUBJECT, AT)),
    "asset of nobody yet": REGISTERED.held((SUBJECT, AT)),
    "asset over": REGISTERED.asset(valid_to=AT),
    "asset frozen": REGISTERED.asset(frozen=True),
    "asset applied for": REGISTERED.asset(state="applied"),
    "registration bound": REGISTERED.presenting(holder=DEVICE),
}
MOMENTS = (0, ANCHORED - 1, ANCHORED, AT - 301, AT - 300, AT - 6, AT - 1, AT, AT + 1, EXPIRES - 1, EXPIRES, 2**40)


@pytest.mark.parametrize("name", JUDGED)
def test_every_moment_that_matters(name: str, compared: list[Report]) -> None:
    for at in MOMENTS:
        JUDGED[name].verify(at)
    assert len(compared) == len(MOMENTS)


@pytest.mark.parametrize("member", ["valid_from", "valid_to", "compromised_at"])
def test_every_key_before_at_and_after_the_anchors_time(member: str) -> None:
    for actor, anchored in ((ISSUER, ANCHORED), (SUBJECT, EVIDENCE_ANCHORED), (TAX, EVIDENCE_ANCHORED)):
        for moment in (anchored - 1, anchored, anchored + 1):
            GENUINE.account(actor, **{member: moment}).verify()


@pytest.mark.parametrize("limit", [0, 3_600])
@pytest.mark.parametrize("made", [GENUINE, REGISTERED], ids=["usage", "registration"])
def test_facts_no_older_than_the_verifier_accepts(made: Made, limit: int) -> None:
    for late in (limit - 1, limit, limit + 1):
        made.verify(BLOCK_TIME + late, Expectation(BANK.id, NONCE, limit))


@pytest.mark.parametrize("expect", [Expectation(), Expectation(BANK.id), Expectation(None, NONCE)], ids=str)
def test_a_verifier_that_does_not_say_who_it_is(expect: Expectation) -> None:
    for made in (GENUINE, REGISTERED):
        made.verify(expect=expect)


FUZZED = [
    test_fuzz.test_damaged_json,
    test_fuzz.test_a_part_in_the_place_of_another,
    test_fuzz.test_damaged_facts,
]


@pytest.mark.parametrize("damage", FUZZED, ids=lambda damage: damage.__name__)
def test_every_damage_by_chance(damage: Callable[[], None], compared: list[Report]) -> None:
    damage()
    assert compared


# --- every member of every statement with another value ---------------------------------------------------------------

STATEMENTS: dict[str, Entry] = {
    {"authorization": "consent", "provision": "supply"}.get(entry["type"], entry["type"]): entry
    for entry in (json.loads(item.entry) for item in reversed(GENUINE.bundle.evidence))
} | {"claims": json.loads(decoded(PAYLOAD))}
"""By the name under which ``usage`` takes changes of them."""
REGISTRATION: Entry = json.loads(decoded(REGISTERED.token.split(".")[1]))


def found_in(entry: Entry) -> list[tuple[tuple[Any, ...], Any]]:
    """Values with the way to them: of a list its first item, and none that says which entry it is."""
    fixed = ("type", "v", "class", "vct", "transferable", "rule")
    ways = [way for way in spots(entry) if way and not any(step in fixed or step in range(1, 64) for step in way)]
    return [(way, reduce(getitem, way, entry)) for way in ways]


EVERYTHING = [value for entry in (*STATEMENTS.values(), REGISTRATION) for _, value in found_in(entry)]
NATURAL = list({json.dumps(value): value for value in EVERYTHING}.values())
NUMBERS = [0, 1, 256, 999, 3_660, 10_000, 36_600, 65_535, 2**31 - 1, 2**31, 2**40 - 1]
WORDS = """
S00 S99 S1 S511 S51/1/engine-1 S51/100000/engine-1 S51/1/engine-1000 2024-02-29 2026-02-29 20260831 court disputed sm3
lapsed supplied timed_out valid no_data none lifted separate_consent contract raw important general_5 hold operate
cancel government_platform sha-256 sha-512 a.b/C-1 81K5M0000000000000000000P4 N n- Ａ S٣٣ 2026-٠8-01
DAC-440802-2026-S01-00000123-V DAC-440802-2026-S01-00000123-W DAC-440801-2026-S01-00000123-V
"""
CLAIMS = STATEMENTS["claims"]
ITEMS = [STATEMENTS["request"]["sources"][0], CLAIMS["components"][0], REGISTRATION["rights"][0]]
ODD = [
    *(number + step for number in NUMBERS for step in (-1, 0, 1)),
    *("x" * size for size in (0, 1, 64, 65, 600, 601, 2_000, 2_001)),
    *WORDS.split(),
    "tax\n",
    *(f"{name}:{0:064x}" for name in ("sha-256", "sm3", "sha-512")),
    *([f"n{number}" for number in range(size)] for size in (8, 9, 64, 65)),
    *([f"sha-256:{number:064x}" for number in range(size)] for size in (0, 1, 8, 9, 64, 65, 1_024, 1_025)),
    *([f"{number:064x}" for number in range(size)] for size in (8, 9)),
    *([item] * size for item in ITEMS for size in (8, 9, 259, 260)),
    *({str(number): number for number in range(size)} for size in (0, 1, 64, 65)),
    *(None, True, False, 1.0),
]
VALUES = [*NATURAL, *ODD]
DAMAGE = [("remove", None), ("repeat", None), ("reverse", None), *(("replace", value) for value in VALUES)]


def accepted(check: Callable[[Entry], None], entry: Entry) -> bool:
    try:
        check(entry)
    except (InvalidInput, Refused):
        return False
    return True


def sample_of(kind: str) -> Entry:
    """An entry of that type: a statement above, or values that happen to fit."""
    for entry in (*STATEMENTS.values(), REGISTRATION):
        if kind in (entry["type"], entry.get("class")):
            return entry
    fitting = {name: next(value for value in VALUES if form(value)) for name, form in ENTRIES[kind].items()}
    return {"type": kind, "v": 1} | fitting


@pytest.mark.parametrize("kind", [*ENTRIES, *CERTIFICATES])
def test_every_form(kind: str) -> None:
    """Of types too that no certificate rests on."""
    entry = sample_of(kind)
    assert accepted(validate_entry, entry)
    for way, _ in found_in(entry):
        for damage, value in DAMAGE:
            changed = damaged(entry, way, damage, value)
            assert accepted(validate_entry, changed) is accepted(require_entry, changed), (way, damage, value)


def alike(one: Any, other: Any) -> bool:
    """Ids with ids, digests with digests, any short text with any other."""
    sizes = {len(value) if isinstance(value, str) and len(value) > 26 else 0 for value in (one, other)}
    return type(one) is type(other) and len(sizes) == 1


def other_statements(entry: Entry) -> Iterator[Entry]:
    """Well-formed ones: each value exchanged for a few that stand elsewhere in the bundle, or for its neighbour."""
    for way, old in found_in(entry):
        near = [("increase", None), ("remove", None), ("reverse", None)]
        others = [("replace", value) for value in NATURAL if alike(value, old)]
        made = (damaged(entry, way, damage, value) for damage, value in (*near, *others))
        yield from islice((each for each in made if each != entry and accepted(require_entry, each)), 3)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_member_signed_with_another_value(statement: str, compared: list[Report]) -> None:
    """As by a party that errs or does wrong: signed, anchored and presented as it should be."""
    genuine = STATEMENTS[statement]
    for entry in other_statements(genuine):
        usage(**{statement: {name: entry[name] for name in entry if entry[name] != genuine[name]}}).verify()
    assert len(compared) > 20


# --- nothing of ours is in it -----------------------------------------------------------------------------------------

ALONE = """
import json, sys

sys.modules["ledger"] = sys.modules["rfc8785"] = None  # whoever imports either gets an ImportError

from tests.proof.second.checks import verify

for bundle, facts, at, consumer, nonce in json.load(sys.stdin):
    print(verify(bundle.encode(), facts, at, consumer, nonce))
"""


def alone(program: str) -> subprocess.CompletedProcess[str]:
    cases = [(made.bundle.to_bytes().decode(), made.facts.to_dict()) for made in (GENUINE, REGISTERED)]
    asked = json.dumps([[*case, AT, BANK.id, nonce] for case in cases for nonce in (NONCE, "yesterday's")])
    return subprocess.run([sys.executable, "-c", program], input=asked, capture_output=True, text=True, cwd=REPOSITORY)


def test_the_second_verifier_imports_nothing_of_the_first() -> None:
    done = alone(ALONE)
    assert (done.stdout.split("\n"), done.stderr) == (["[]", "[10]", "[]", "[]", ""], "")
    assert "ledger.proof" in alone(ALONE + "\nimport ledger.proof").stderr
