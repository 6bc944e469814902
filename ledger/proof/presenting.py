"""Presenting a certificate as its holder: choose what to disclose, bind it to one consumer and one nonce.

Pure: whoever has the full bundle and the holder's key can present, with no service, database or chain.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.domain.entries import validate_entry
from ledger.domain.field_names import listed
from ledger.errors import BadBundle, Conflict, Forbidden
from ledger.proof.bundle import Bundle
from ledger.proof.checks.classes import CERTIFICATE_CLASSES
from ledger.proof.jws import Jwk, Signer, parse_compact
from ledger.proof.sdjwt import (
    KEY_BINDING_TYP,
    Disclosed,
    Presented,
    bind_key,
    compose,
    disclosure_digest,
    parse_certificate,
)


def present(
    full: Bundle, fields: Iterable[str] | None, *, consumer: str, nonce: str, holder: Signer, at: int
) -> Bundle:
    """The bundle with the chosen fields disclosed (default: all), for one consumer and one nonce.

    ``consumer`` is a party id, ``at`` is seconds UTC and stands in ``iat``. Raises as ``disclosing``, and ``Conflict``
    ``NOTHING_TO_BIND`` for a registration certificate, ``Forbidden`` ``NOT_PARTY`` for another consumer than the
    certificate names, ``HOLDER_KEY_DIFFERS`` for another key than the certificate was issued to.
    """
    chosen = disclosing(full, fields)
    claims = parse_certificate(chosen.certificate).claims
    if not CERTIFICATE_CLASSES[claims["class"]].used_up:
        raise Conflict(
            "NOTHING_TO_BIND",
            "A registration certificate is bound to no key: anyone may rely on it.",
            where=claims["certificate_no"],
            hint="Hand its bundle on as it is.",
        )
    if consumer != claims["consumer"]:
        # What is disclosed travels readably: another consumer would learn it, although its verification fails.
        raise Forbidden(
            "NOT_PARTY",
            "The certificate is for another consumer.",
            where=claims["certificate_no"],
            hint="For this consumer the subject gives a new authorization.",
        )
    bound = bind_key(chosen.certificate, holder, audience=consumer, nonce=nonce, at=at)
    binding = parse_compact(bound.removeprefix(chosen.certificate), KEY_BINDING_TYP)
    if not binding.signed_by(Jwk.from_dict(claims["cnf"]["jwk"]).compressed, any_s=True):
        raise Forbidden(
            "HOLDER_KEY_DIFFERS",
            "The certificate was issued to another key.",
            where=claims["certificate_no"],
            hint="Present with the key that the subject had when it was issued.",
        )
    return chosen.with_certificate(bound)


def disclosing(full: Bundle, fields: Iterable[str] | None) -> Bundle:
    """The bundle with the chosen fields disclosed (default: all), bound to nobody.

    Raises ``Forbidden`` ``FIELD_OUTSIDE_AUTHORIZATION``, ``BadBundle`` ``BUNDLE_PRESENTED``, and as ``presented``.
    """
    parts = presented(full)
    if parts.key_binding is not None:
        raise _presented_before()
    if fields is None:
        return full
    token = full.certificate.partition("~")[0]
    return full.with_certificate(compose(token, _chosen(parts, fields)))


def require_full(bundle: Bundle) -> Presented:
    """The certificate's parts, if every field is disclosed as it was signed and the bundle is bound to nobody.

    Raises ``BadBundle`` ``BUNDLE_PRESENTED``, ``BUNDLE_NOT_FULL``, and as ``presented``.
    """
    parts = presented(bundle)
    if parts.key_binding is not None:
        raise _presented_before()
    names = sorted(item.name for item in parts.disclosures)
    digests = sorted(disclosure_digest(item.encoded, parts.algorithm) for item in parts.disclosures)
    if names != sorted(parts.claims.get("fields", [])) or digests != sorted(parts.claims.get("_sd", [])):
        raise BadBundle(
            "BUNDLE_NOT_FULL",
            "The bundle does not disclose every field of its certificate, each as it was signed.",
            where=parts.claims["certificate_no"],
            hint="Ask for the bundle without choosing fields.",
        )
    return parts


def presented(bundle: Bundle) -> Presented:
    """The parts of a bundle's certificate, of the form that a certificate has; nothing is verified yet.

    Raises ``BadBundle``, and ``InvalidInput`` ``ENTRY_…`` for a payload that is no certificate's.
    """
    parts = parse_certificate(bundle.certificate)
    validate_entry(parts.claims)
    if parts.claims["type"] != "certificate":
        raise BadBundle("NOT_A_CERTIFICATE", "The payload is not a certificate.", where="certificate")
    return parts


def _chosen(parts: Presented, fields: Iterable[str]) -> list[Disclosed]:
    wanted = list(dict.fromkeys(fields))
    by_name = {item.name: item for item in parts.disclosures}
    if outside := sorted(set(wanted) - by_name.keys()):
        raise Forbidden(
            "FIELD_OUTSIDE_AUTHORIZATION",
            f"The certificate does not carry: {listed(outside)}.",
            hint="It can disclose only what the subject authorised; ask for a new authorization.",
        )
    return [by_name[name] for name in wanted]


def _presented_before() -> BadBundle:
    return BadBundle(
        "BUNDLE_PRESENTED",
        "The bundle was bound to a consumer and a nonce already.",
        where="certificate",
        hint="Start from the bundle as the platform gives it to the holder.",
    )
