# SPDX-License-Identifier: Apache-2.0
"""Presents a certificate for its holder: discloses the chosen fields and binds them to one consumer and one nonce.

The functions are pure: they need the full bundle and the holder's key, but no service, database or chain.
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
    """Return the bundle bound to one consumer and one nonce; only the chosen fields are disclosed, by default all.

    ``consumer`` is a party id; ``at`` (seconds UTC) becomes ``iat``. Raises what ``disclosing`` raises, and
    ``Conflict`` ``NOTHING_TO_BIND`` for a registration certificate, ``Forbidden`` ``NOT_PARTY`` if the certificate is
    for another consumer, and ``HOLDER_KEY_DIFFERS`` if it was issued to another key.
    """
    chosen = disclosing(full, fields)
    claims = parse_certificate(chosen.certificate).claims
    if not CERTIFICATE_CLASSES[claims["class"]].used_up:
        raise Conflict(
            "NOTHING_TO_BIND",
            "A registration certificate is not bound to a key, because anyone may rely on it.",
            where=claims["certificate_no"],
            hint="Pass on the bundle of the certificate unchanged.",
        )
    if consumer != claims["consumer"]:
        # Disclosed claims are not encrypted: a consumer for which the certificate is not meant could read them,
        # although its verification would fail.
        raise Forbidden(
            "NOT_PARTY",
            "The certificate was issued for another consumer.",
            where=claims["certificate_no"],
            hint="Ask the subject for a new authorization for this consumer.",
        )
    bound = bind_key(chosen.certificate, holder, audience=consumer, nonce=nonce, at=at)
    binding = parse_compact(bound.removeprefix(chosen.certificate), KEY_BINDING_TYP)
    if not binding.signed_by(Jwk.from_dict(claims["cnf"]["jwk"]).compressed, any_s=True):
        raise Forbidden(
            "HOLDER_KEY_DIFFERS",
            "The certificate was issued to another key.",
            where=claims["certificate_no"],
            hint="Present it with the key that the subject had when the certificate was issued.",
        )
    return chosen.with_certificate(bound)


def disclosing(full: Bundle, fields: Iterable[str] | None) -> Bundle:
    """Return the bundle without binding it to a consumer; only the chosen fields are disclosed, by default all.

    Raises ``Forbidden`` ``FIELD_OUTSIDE_AUTHORIZATION`` for a field that the certificate lacks, ``BadBundle``
    ``BUNDLE_PRESENTED`` if the bundle is bound to a consumer already, and what ``presented`` raises.
    """
    parts = presented(full)
    if parts.key_binding is not None:
        raise _presented_before()
    if fields is None:
        return full
    token = full.certificate.partition("~")[0]
    return full.with_certificate(compose(token, _chosen(parts, fields)))


def require_full(bundle: Bundle) -> Presented:
    """Return the certificate's parts if the bundle discloses every signed field and is not bound to a consumer.

    Otherwise raises ``BadBundle``: ``BUNDLE_PRESENTED`` or ``BUNDLE_NOT_FULL``. Also raises what ``presented`` raises.
    """
    parts = presented(bundle)
    if parts.key_binding is not None:
        raise _presented_before()
    names = sorted(item.name for item in parts.disclosures)
    digests = sorted(disclosure_digest(item.encoded, parts.algorithm) for item in parts.disclosures)
    if names != sorted(parts.claims.get("fields", [])) or digests != sorted(parts.claims.get("_sd", [])):
        raise BadBundle(
            "BUNDLE_NOT_FULL",
            "The bundle does not disclose every field of its certificate with the signed value.",
            where=parts.claims["certificate_no"],
            hint="Request the bundle again without choosing fields.",
        )
    return parts


def presented(bundle: Bundle) -> Presented:
    """Return the parts of a bundle's certificate; only the form is checked, nothing is verified.

    Raises ``BadBundle``, and ``InvalidInput`` ``ENTRY_…`` if the payload does not fit the schema of its type.
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
            f"The certificate does not have these fields: {listed(outside)}.",
            hint="Choose fields that the subject authorised, or ask for a new authorization.",
        )
    return [by_name[name] for name in wanted]


def _presented_before() -> BadBundle:
    return BadBundle(
        "BUNDLE_PRESENTED",
        "The bundle is already bound to a consumer and a nonce.",
        where="certificate",
        hint="Use the bundle that the platform gave to the holder.",
    )
