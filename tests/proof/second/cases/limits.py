"""Cases for comparing the verifiers: bundles just within a limit of the protocol, or just beyond it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ledger.domain.canonical import canonical
from ledger.proof.jws import encode_base64url, public_jwk, sign_compact
from ledger.proof.report import Report
from ledger.proof.sdjwt import KEY_BINDING_TYP, parse_certificate
from ledger.proof.verifier import Expectation
from tests.proof.attacks.tampering import HEADER, decoded, with_header
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    DEVICE,
    EXPECT,
    HIDDEN,
    NONCE,
    SUBJECT,
    TAX,
    Entry,
    template_members,
)
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.made import Made

Attack = Callable[[], Report]


# --- sizes and depths -------------------------------------------------------------------------------------------------


def padded(data: bytes, size: int) -> bytes:
    return data + b" " * (size - len(data))


def filled(make: Callable[[str], Made], measured: Callable[[Made], int], size: int) -> Made:
    """Return ``make``'s bundle with as many filling characters as are needed for ``measured`` to return ``size``."""
    return make("湛" * (size - measured(make(""))))


def with_rule(rule: Entry) -> Made:
    """Return a bundle whose template also contains this rule; no claim uses the rule."""
    fields = [
        field | ({"rule": rule} if field["name"] == "tax_arrears" else {}) for field in template_members()["fields"]
    ]
    return usage(template={"fields": fields})


def template_of(made: Made) -> str:
    return next(item.entry for item in made.bundle.evidence if '"type":"template"' in item.entry)


def entry_of(size: int) -> Attack:
    return lambda: filled(lambda filler: with_rule({"x": filler}), lambda made: len(template_of(made)), size).verify()


def payload_of(size: int) -> Attack:
    """Return a registration certificate with a payload of ``size`` bytes."""

    def make(filler: str) -> Made:
        return registration(claims={"resource": {"name": "x" * len(filler)}})

    return lambda: filled(
        make, lambda made: len(parse_certificate(made.bundle.certificate).issued.payload), size
    ).verify()


def binding(payload: bytes, expect: Expectation = EXPECT) -> Report:
    """Verify the genuine presentation with another key binding, whose payload is ``payload``."""
    shown = GENUINE.bundle.certificate.rpartition("~")[0] + "~"
    certificate = shown + sign_compact(payload, DEVICE.signer, KEY_BINDING_TYP)
    return replace(GENUINE, bundle=GENUINE.bundle.with_certificate(certificate)).verify(expect=expect)


def bound_by(**changes: Any) -> bytes:
    bound = GENUINE.bundle.certificate.rpartition("~")[0] + "~"
    sd_hash = parse_certificate(bound).sd_hash
    return json.dumps({"aud": BANK.id, "iat": AT, "nonce": NONCE, "sd_hash": sd_hash} | changes).encode()


def nested(depth: int, innermost: Any = 1) -> Any:
    return [nested(depth - 1, innermost)] if depth else innermost


def disclosing(*disclosures: str) -> Attack:
    shown = "~".join([GENUINE.token, *disclosures, ""])
    return lambda: GENUINE.verify_changed(("certificate", shown))


def disclosed(value: Any, salt: str = "A" * 22, name: Any = "tax_band") -> str:
    return encode_base64url(json.dumps([salt, name, value], separators=(",", ":"), ensure_ascii=False).encode())


def disclosure_of(size: int) -> str:
    return disclosed("x" * (size - len(decoded(disclosed("")))))


def certificate_of(size: int) -> Attack:
    """Return a certificate that has exactly ``size`` characters.

    It consists mostly of disclosures of 5,462 characters. Two shorter disclosures fill the rest: one is not always
    enough, because some lengths of base64url do not exist.
    """
    large = [disclosure_of(4_096)] * 34
    rest = size - len("~".join([GENUINE.token, *large, "", "", ""]))
    lengths = {len(disclosure_of(bytes_)): bytes_ for bytes_ in range(40, 4_096)}
    first = next(length for length in lengths if rest - length in lengths)
    return disclosing(*large, disclosure_of(lengths[first]), disclosure_of(lengths[rest - first]))


def listing(member: str, size: int) -> Attack:
    """Return the bundle with invented items added to a list or an object, up to ``size`` items."""
    document = GENUINE.document()
    items = document[member]
    if isinstance(items, dict):
        jwk = items[SUBJECT.account]
        return lambda: GENUINE.verify_changed((member, items | {f"0x{n:040x}": jwk for n in range(size - len(items))}))
    if member == "evidence":
        text = items[0]["entry"]
        more = [items[0] | {"entry": text.replace("working", f"working{n}")} for n in range(size - len(items))]
    else:
        more = [
            items[0] | {"batch": 100 + n} if isinstance(items[0], dict) else "00" * 32 for n in range(size - len(items))
        ]
    return lambda: GENUINE.verify_changed((member, [*items, *more]))


SIZES: dict[str, tuple[int, Callable[[int], Attack]]] = {
    "bytes of the file": (
        256 * 1024,
        lambda size: lambda: GENUINE.verify_file(padded(GENUINE.bundle.to_bytes(), size)),
    ),
    "bytes of a header": (512, lambda size: with_header(padded(decoded(HEADER), size))),
    "bytes of a payload": (65_536, payload_of),
    "bytes of a key binding": (65_536, lambda size: lambda: binding(padded(bound_by(), size))),
    "bytes of a disclosure": (4_096, lambda size: disclosing(disclosure_of(size))),
    "characters of an entry": (16_384, entry_of),
    "characters of the certificate": (196_608, certificate_of),
    "disclosures": (64, lambda size: disclosing(*[GENUINE.hidden[0].encoded] * size)),
    "nodes of a proof": (32, lambda size: listing("proof", size)),
    "items of evidence": (34, lambda size: listing("evidence", size)),
    "anchors": (34, lambda size: listing("anchors", size)),
    "keys": (35, lambda size: listing("keys", size)),
    "brackets in an entry": (32, lambda size: lambda: with_rule({"x": nested(size - 4)}).verify()),
    "brackets in a payload": (
        32,
        lambda size: lambda: registration(claims={"resource": {"x": nested(size - 2)}}).verify(),
    ),
    "brackets in a key binding": (32, lambda size: lambda: binding(bound_by(iat=nested(size - 1)))),
    "brackets in a disclosure": (4, lambda size: disclosing(disclosed(nested(size - 1)))),
}
AT_SIZES: dict[str, Attack] = {
    f"{size} {what}": make(size) for what, (limit, make) in SIZES.items() for size in (limit - 1, limit, limit + 1)
}


# --- names that SD-JWT libraries treat as instructions ----------------------------------------------------------------

INSTRUCTIONS = ("_sd", "_sd_alg", "...", "_sd2", "....")


def in_a_disclosure(name: str) -> Iterator[Attack]:
    choices = {"op": "latest", "column": "band", "order": "month", "choices": ["A", name]}
    fields = [
        field | ({"rule": choices} if field["name"] == "tax_band" else {}) for field in template_members()["fields"]
    ]
    yield lambda: usage(template={"fields": fields}, hidden=HIDDEN | {"tax_band": name}).verify()
    for value in ([name], {name: 1}, {"x": [{name: 1}]}):
        yield disclosing(disclosed(value))


def nesting(name: str) -> Iterator[Attack]:
    yield from in_a_disclosure(name)
    yield lambda: usage(claims={"purpose": name}, consent={"purpose": name}).verify()
    for resource in ({"x": name}, {name: "x"}, {"x": [name]}, {"x": {"y": [{name: 1}]}}):
        other = registration(claims={"resource": resource})
        yield other.verify
        text = parse_certificate(other.bundle.certificate).issued.payload.decode()
        yield lambda text=text: GENUINE.carrying(text, ANCHORED).verify()


AT_NAMES: dict[str, Attack] = {
    f"{name} nested, {place}": attack for name in INSTRUCTIONS for place, attack in enumerate(nesting(name))
}


# --- disclosures ------------------------------------------------------------------------------------------------------

SALT = "A" * 22
NO_TEXT: list[Any] = [None, 7, [], {}, ""]
PARTS: list[Any] = [
    *(None, True, 7, "AAA", "x" * 22, {}, {"0": SALT, "1": "tax_band", "2": "A"}, [], [[SALT, "tax_band", "A"]]),
    *([SALT, name, "A"] for name in (True, *NO_TEXT, "tax_trend", "debts", "_sd", "...")),
    *([salt, "tax_band", "A"] for salt in (True, *NO_TEXT, "A", "A" * 21 + "B", "A" * 20, "A" * 23, "A" * 24)),
    *([salt, "tax_band", "A"] for salt in ("A" * 21 + "=", "A" * 21 + "+", "A" * 22 + "\n", "湛" * 22)),
    *([SALT, "tax_band"], [SALT, "tax_band", "A", "A"], [SALT, SALT, "tax_band", "A"]),
]
AT_DISCLOSURES: dict[str, Attack] = {
    f"disclosure {place}": disclosing(encode_base64url(canonical(parts))) for place, parts in enumerate(PARTS)
}


# --- keys -------------------------------------------------------------------------------------------------------------

SM2_KEY = {
    "kty": "EC",
    "crv": "SM2",
    "x": "MsSuLB8ZgRlfmQRGajnJlI_jC7_yZgvhcVpFiTNMdMc",
    "y": "vDc2ovT2d5xZvc7ja2khU9Cph3zGKkdAAt8y5SE58KA",
}
"""The base point of SM2; the other two JWKs are the subject's key and a P-256 key."""
P256_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
    "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
}

BEYOND_THE_FIELD = {
    "secp256k1": [
        ("_____________________________________v___DA", "QhjyCubGRrNj22hgWCL7FCZMqNJYf91vvHUNWH52p-4"),
        ("FG07Za3Z9UzMooUzyI4svGP3RD4WWHg6tB-O-XwqELU", "_____________________________________v___DA"),
    ],
    "P-256": [
        ("_____wAAAAEAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAQ", "RZJDuapYGAb-kTvOmYF63hHKUDxk2aPFM0FcCDJI-8w"),
        ("aRb6xF5Wi2ueLi7NYRsoLl_MQKMGfWAQV_h5zlqKc8w", "_____wAAAAEAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAA"),
        ("_____wAAAAEAAAAAAAAAAAAAAAD_______________8", "ZkhceA4vg9ckM71dhKBrtlQcKvMdrocXKL-FahdPk_Q"),
    ],
    "SM2": [
        ("_____v____________________8AAAABAAAAAAAAAAA", "n3oJFDOoHj8hj0BfeSNVvyqpi1_6lZgvA4cIAAZSeaM"),
        ("nBcEPv_hqAWnSppecLnWWXBdMkIJSlZtwBb0kxEXjR8", "_____v____________________8AAAABAAAAAAAAAAA"),
        ("_____v____________________8AAAAA__________8", "_UUR6Bc2pg8H6IqD1s9aFn-ubRqckzDnbiMuAPXNwVQ"),
    ],
}
"""Points on the curve with a coordinate that is too large by the size of the field: first x, then y."""


def odd_keys() -> Iterator[Any]:
    k1 = GENUINE.document()["keys"][SUBJECT.account]
    for key in (k1, P256_KEY, SM2_KEY):
        yield key
        yield from (key | {"crv": other["crv"]} for other in (k1, P256_KEY, SM2_KEY))
        for member in key:
            yield {name: key[name] for name in key if name != member}
            yield from (key | {member: value} for value in (*NO_TEXT, "A" * 43, "A" * 42 + "B", "A" * 44))
        yield from (
            key | {"d": "A" * 43},
            key | {"x": key["y"], "y": key["x"]},
            key | {"kty": "OKP"},
            key | {"crv": "P-384"},
        )
        point = decoded(key["x"]) + decoded(key["y"])
        halves = [(point[:size], point[size:]) for size in (0, 31, 33, 64)]
        halves += [(point[:32], b"\0" + point[32:]), (b"\0" + point[:32], point[32:])]
        yield from (key | {"x": encode_base64url(x), "y": encode_base64url(y)} for x, y in halves)
    for curve, points in BEYOND_THE_FIELD.items():
        yield from ({"kty": "EC", "crv": curve, "x": x, "y": y} for x, y in points)
    yield from (None, [], {}, "key", [["kty", "EC"]])


AT_KEYS: dict[str, Callable[..., Report]] = {
    f"key {place}": lambda key=key: GENUINE.verify_changed((f"keys.{TAX.account}", key))
    for place, key in enumerate(odd_keys())
} | {
    f"holder's key {place}": lambda key=key: usage(claims={"cnf": {"jwk": key}}, consent={"holder_key": key}).verify()
    for place, key in enumerate(odd_keys())
    if isinstance(key, dict) and key
}


def split_elsewhere(size: int) -> Any:
    """Return the holder's key with ``size`` bytes of its point in x and the other bytes in y."""
    key = public_jwk(DEVICE.signer.public_key).to_dict()
    point = decoded(key["x"]) + decoded(key["y"])
    return key | {"x": encode_base64url(point[:size]), "y": encode_base64url(point[size:])}


AT_KEYS |= {
    f"the presenting key with {size} bytes in x": lambda size=size: usage(
        claims={"cnf": {"jwk": split_elsewhere(size)}}, consent={"holder_key": split_elsewhere(size)}
    ).verify()
    for size in (31, 32, 33)
}

PREFIXES = {"secp256k1": "", "P-256": "p256:", "SM2": "sm2:"}


def odd_texts() -> Iterator[str]:
    """Yield well-formed and malformed texts that are put into facts in the place of keys."""
    for key in (GENUINE.document()["keys"][SUBJECT.account], P256_KEY, SM2_KEY):
        own, x, y = PREFIXES[key["crv"]], decoded(key["x"]).hex(), decoded(key["y"]).hex()
        for prefix in (*PREFIXES.values(), "sm3:", own.upper() + " ", own * 2):
            yield from (f"{prefix}{sign}{x}" for sign in ("02", "03"))
        yield from (f"{own}{sign}{x}" for sign in ("", "2", "00", "01", "04", "05", "12"))
        yield from (f"{own}02{other}" for other in (x.upper(), x[:-2], x[:-1], x + "00", f" {x}", f"{x}\n", x + y))
        yield from (f"{own}04{x}{y}", f"{own}02{'00' * 32}", f"{own}03{'ff' * 32}")
        yield from (f"{own}02{number:064x}" for number in range(1, 9))
        yield from (f"{own}02{decoded(beyond).hex()}" for beyond, _ in BEYOND_THE_FIELD[key["crv"]])
