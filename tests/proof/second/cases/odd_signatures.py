"""Cases for comparing the verifiers: signatures with other numbers, other headers or another form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.domain.canonical import canonical
from ledger.proof.jws import ENTRY_TYP, encode_base64url
from ledger.proof.report import Report
from ledger.proof.sdjwt import CERTIFICATE_TYP, KEY_BINDING_TYP
from tests.proof.attacks.tampering import decoded
from tests.proof.second.cases.limits import bound_by
from tests.proof.second.notation import sha_256
from tests.proof.second.signatures import CURVES, ORDERS
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT, BANK, DEVICE, EVIDENCE_ANCHORED, ISSUER, SUBJECT, TAX, Actor, Entry, as_text
from tests.support.bundles.genuine import GENUINE, REGISTERED
from tests.support.bundles.made import Made
from tests.support.bundles.p256_cast import P_DEVICE, p256_usage

Attack = Callable[[], Report]
P256 = p256_usage()


# --- r and s ----------------------------------------------------------------------------------------------------------


def other_numbers(token: str, alg: str) -> Iterator[str]:
    """Yield the same JWS with another r, another s, or both."""
    *kept, signature = token.split(".")
    order = ORDERS[alg]
    r, s = (int.from_bytes(decoded(signature)[place:][:32], "big") for place in (0, 32))
    for pair in (
        (r, order - s),
        (0, s),
        (r, 0),
        (0, 0),
        (s, r),
        (order, s),
        (r, order),
        (order - r, s),
        (r, 2**256 - 1),
    ):
        yield ".".join([*kept, encode_base64url(b"".join(number.to_bytes(32, "big") for number in pair))])
    yield from (".".join([*kept, encode_base64url(decoded(signature) + more)]) for more in (b"", b"\0"))
    yield ".".join([*kept, encode_base64url(decoded(signature)[:63])])


def resigned(made: Made, kind: str, alg: str) -> Iterator[Made]:
    """Yield bundles in which a consent or provision has another signature and the same statement digest."""
    place, item = next((n, each) for n, each in enumerate(made.bundle.evidence) if each.statement["type"] == kind)
    for signature in other_numbers(str(item.statement["signature"]), alg):
        text = as_text(dict(item.statement) | {"signature": signature})
        carried = made.carrying(text, EVIDENCE_ANCHORED)
        evidence = list(carried.bundle.evidence)
        evidence[place] = evidence.pop()
        yield replace(carried, bundle=replace(carried.bundle, evidence=tuple(evidence)))


def with_other_numbers(made: Made, holder: Actor, alg: str) -> Iterator[Attack]:
    for token in other_numbers(made.token, alg):
        yield made.presenting("tax_band", token=token, holder=holder).verify
    shown, _, bound = made.bundle.certificate.rpartition("~")
    for token in other_numbers(bound, alg):
        yield lambda token=token: made.verify_changed(("certificate", f"{shown}~{token}"))
    for kind in ("request", "authorization", "provision"):
        yield from (other.verify for other in resigned(made, kind, alg))


NUMBERS: dict[str, Attack] = {
    f"{alg}, other r or s {place}": attack
    for made, holder, alg in ((GENUINE, DEVICE, "ES256K"), (P256, P_DEVICE, "ES256"))
    for place, attack in enumerate(with_other_numbers(made, holder, alg))
}


def with_s(alg: str, s: int) -> Report:
    """Verify a registration certificate with this ``s``; the issuer's key is computed so that the signature fits."""
    order = ORDERS[alg]
    header = {"alg": alg, "kid": ISSUER.account, "typ": CERTIFICATE_TYP}
    signing_input = f"{encode_base64url(canonical(header))}.{REGISTERED.token.split('.')[1]}"
    e = int.from_bytes(sha_256(signing_input.encode()), "big")
    r = int.from_bytes(multiple(alg, 7)[1:33], "big")
    point = multiple(alg, (s * 7 - e) * pow(r, -1, order) % order)
    compressed = bytes([2 + point[64] % 2]) + point[1:33]
    token = f"{signing_input}.{encode_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    made = REGISTERED.account(ISSUER, key=("p256:" if alg == "ES256" else "") + compressed.hex())
    return made.verify_changed(("certificate", f"{token}~"))


def multiple(alg: str, scalar: int) -> bytes:
    """Return the base point multiplied by ``scalar``, as an uncompressed point."""
    public_key = ec.derive_private_key(scalar, CURVES[alg]).public_key()
    return public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


NUMBERS |= {
    f"{alg}, s {step} over half of the order": lambda alg=alg, step=step: with_s(alg, ORDERS[alg] // 2 + step)
    for alg in ORDERS
    for step in (-1, 0, 1, 2)
}


# --- headers ----------------------------------------------------------------------------------------------------------


def under(actor: Actor, payload: bytes, changes: Entry) -> str:
    """Return a JWS with changes in its header; None removes a member."""
    members = {**actor.signer.algorithm, "kid": actor.account} | changes
    header = canonical({name: value for name, value in members.items() if value is not None})
    signing_input = f"{encode_base64url(header)}.{encode_base64url(payload)}"
    return f"{signing_input}.{encode_base64url(actor.signer.sign(signing_input.encode()))}"


HEADERS: list[dict[str, Any]] = [
    *(
        {"kid": kid}
        for kid in (None, 7, "", "0x", "0X" + "00" * 20, "0x" + "00" * 19, "0x" + "0A" * 20, "0x" + "00" * 20)
    ),
    *({"typ": typ} for typ in (None, 7, "JWT", "kb+jwt", "dc+sd-jwt", "pingzheng-entry+jws", "DC+SD-JWT")),
    *({"alg": alg} for alg in (None, 7, "none", "ES256", "ES256K", "SM2SM3", "es256", "ES384")),
    {"alg": []},
    *({"sm2_id": sm2_id} for sm2_id in (None, 7, "", "a", "a" * 64, "a" * 65, "é", "\x7f", " ~", "a\n")),
    *({"alg": "SM2SM3", "sm2_id": sm2_id} for sm2_id in ("", "1234567812345678")),
    *({name: 1} for name in ("crit", "jwk", "b64")),
]


def under_headers(changes: dict[str, Any]) -> Iterator[Attack]:
    payload = decoded(GENUINE.token.split(".")[1])
    yield GENUINE.presenting("tax_band", token=under(ISSUER, payload, {"typ": CERTIFICATE_TYP} | changes)).verify
    shown = GENUINE.bundle.certificate.rpartition("~")[0]
    bound = under(DEVICE, bound_by(), {"typ": KEY_BINDING_TYP} | changes)
    yield lambda: GENUINE.verify_changed(("certificate", f"{shown}~{bound}"))
    yield lambda: usage(write=lambda entry: signed_under(entry, "authorization", SUBJECT, changes)).verify()
    yield lambda: usage(write=lambda entry: signed_under(entry, "provision", TAX, changes)).verify()
    yield lambda: withdrawn_under(changes).verify()


def signed_under(entry: Any, kind: str, actor: Actor, changes: dict[str, Any]) -> str:
    if entry["type"] != kind:
        return as_text(entry)
    return as_text(dict(entry) | {"signature": detached(dict(entry), actor, changes)})


def detached(entry: Entry, actor: Actor, changes: dict[str, Any]) -> str:
    body = canonical({name: value for name, value in entry.items() if name != "signature"})
    header, _, signature = under(actor, body, {"typ": ENTRY_TYP} | changes).split(".")
    return f"{header}..{signature}"


def withdrawn_under(changes: dict[str, Any]) -> Made:
    entry = dict(GENUINE.withdrawing(SUBJECT, AT).bundle.evidence[-1].statement)
    return GENUINE.carrying(as_text(entry | {"signature": detached(entry, SUBJECT, changes)}), AT)


AT_HEADERS: dict[str, Attack] = {
    f"header with {changes} {place}": attack
    for changes in HEADERS
    for place, attack in enumerate(under_headers(changes))
}
SIGNATURES = ("", ".", "..", "...", "a..b", "a..b..c", "a.b.c", "a", "..a", "a..", "eyJ9..AAAA", "x" * 600)


def with_signature(text: str) -> Iterator[Attack]:
    for kind in ("request", "authorization", "provision", "withdrawal"):
        yield (
            lambda kind=kind: (
                usage(write=lambda entry: as_text(dict(entry) | ({"signature": text} if entry["type"] == kind else {})))
                .withdrawing(BANK, AT)
                .verify()
            )
        )
    withdrawal = dict(GENUINE.withdrawing(SUBJECT, AT).bundle.evidence[-1].statement)
    yield lambda: GENUINE.carrying(as_text(withdrawal | {"signature": text}), AT).verify()


AT_SIGNATURES: dict[str, Attack] = {
    f"signature {text[:20]!r} {place}": attack
    for text in SIGNATURES
    for place, attack in enumerate(with_signature(text))
}


def with_payload(entry: Any) -> str:
    """Return a detached signature that contains a payload between its two dots, where nothing may be."""
    return as_text(dict(entry) | {"signature": entry["signature"].replace("..", ".e30.")})


AT_SIGNATURES |= {
    f"payload within the signature of the {kind}": lambda kind=kind: usage(
        write=lambda entry: with_payload(entry) if entry["type"] == kind else as_text(entry)
    ).verify()
    for kind in ("request", "authorization", "provision")
} | {
    "payload within the signature of the withdrawal": lambda: GENUINE.carrying(
        with_payload(GENUINE.withdrawing(SUBJECT, AT).bundle.evidence[-1].statement), AT
    ).verify()
}
