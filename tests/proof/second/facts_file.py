"""§8: the form of a facts file."""

from __future__ import annotations

from typing import Any

from tests.proof.second.bundle import CHAIN, natural
from tests.proof.second.forms import Form, boolean, exactly, hex_32, like, null_or
from tests.proof.second.notation import Refused, read_json
from tests.proof.second.signatures import ACCOUNT

MIB = 1024 * 1024


def text(value: Any) -> bool:
    """Return whether the value is a text. An unknown name or an invalid key is also a text; other checks refuse it."""
    return isinstance(value, str)


def listed(form: Form) -> Form:
    return lambda value: isinstance(value, list) and all(map(form, value))


def known(members: dict[str, Form], **names: Form) -> Form:
    """Return a form for a list of objects; no two objects have the same values in the members ``names``."""
    form = listed(exactly(members | names))
    return lambda value: form(value) and len({tuple(each[name] for name in names) for each in value}) == len(value)


def history(**members: Form) -> dict[str, Form]:
    return {"history": listed(exactly(members | {"at": natural}))}


def named(name: Form, form: Form) -> Form:
    return lambda value: isinstance(value, dict) and all(map(name, value)) and all(map(form, value.values()))


def numbers(names: str) -> dict[str, Form]:
    return dict.fromkeys(names.split(), natural)


# The parties that proposed and confirmed the binding of an account. No check depends on these parties: a report shows
# them to people. So only the form of this member is checked here.
PROPOSAL = null_or(exactly(numbers("by confirmed_by at")))
TIMES = numbers("valid_from valid_to reported_at compromised_at")
PARTY = numbers("no") | {
    "status": text,
    "roles": listed(text),
    "accreditations": named(text, exactly(numbers("from to"))),
}
ASSET = numbers("valid_to objections") | {
    "state": text,
    "holders": listed(exactly({"party": hex_32} | numbers("since"))),
    "frozen": boolean,
    "head": hex_32,
    "liens": listed(exactly({"creditor": hex_32} | numbers("rank"))),
    "annulled_ancestor": like("([0-9a-f]{64})?"),
}
FACTS = exactly(
    {
        "format": like("pingzheng-facts/2"),
        "chain": exactly(CHAIN),
        "block": exactly(numbers("number time") | {"hash": hex_32}),
        "heads": exactly({"party_registry": hex_32, "certificate_log": hex_32}),
        "logs": known(numbers("batches") | {"newest": hex_32}, issuer=natural),
        "cosignatures": lambda value: value == [],
        "anchors": known({"commitment": hex_32}, issuer=natural, batch=natural),
        "status": known(history(status=text, reason=text), issuer=natural, batch=natural, index=natural),
        "holds": known(
            history(offices=listed(like("authority|supervisor")), reason=text, by=natural), statement=hex_32
        ),
        "uses": known(history(ordinal=natural), consumer=hex_32, request=hex_32),
        "withdrawals": known(numbers("at reported_at"), party=hex_32, statement=hex_32),
        "accounts": named(like(ACCOUNT), exactly(TIMES | {"party": hex_32, "proposal": PROPOSAL, "key": text})),
        "parties": named(hex_32, exactly(PARTY)),
        "assets": named(hex_32, exactly(ASSET)),
    }
)


def well_formed(raw: bytes) -> bool:
    try:
        return FACTS(read_json(raw, size=MIB))
    except Refused:
        return False
