"""Functions that prepare attacks on a genuine bundle. An attack is a function without arguments: it has the verifier
check the changed bundle, and returns the report.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from ledger.proof.jws import encode_base64url
from ledger.proof.report import NAMES, Report
from ledger.proof.sdjwt import CERTIFICATE_TYP
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import ISSUER, Changes, as_text
from tests.support.bundles.genuine import GENUINE

Attack = Callable[[], Report]

DOCUMENT = GENUINE.document()
HEADER, PAYLOAD, SIGNATURE = GENUINE.token.split(".")
SHOWN = GENUINE.bundle.certificate.split("~")
REAL_HEADER = {"alg": "ES256K", "kid": ISSUER.account, "typ": CERTIFICATE_TYP}


def require_refused(report: Report, number: int, code: str) -> None:
    """Assert that check number ``number`` refused the bundle with the error code ``code``, and that the report
    discloses nothing.
    """
    failure = report.first_failure
    assert failure is not None
    assert (failure.number, failure.name, failure.code) == (number, NAMES[number - 1], code)
    assert not report.valid
    assert (report.claims, report.disclosed, report.keys) == ({}, {}, ())


def with_member(path: str, value: Any) -> Attack:
    return lambda: GENUINE.verify_changed((path, value))


def with_text(old: str, new: str) -> Attack:
    """Replace the text ``old`` in the bundle file by ``new``."""
    text = GENUINE.bundle.to_bytes().decode()
    assert text.count(old) >= 1
    return lambda: GENUINE.verify_file(text.replace(old, new, 1).encode())


def with_parts(*parts: str) -> Attack:
    """Replace the certificate by these parts, joined with ``~``."""
    return with_member("certificate", "~".join(parts))


def with_token(token: str) -> Attack:
    """Put ``token`` in the place of the JWT that the issuer signed. The holder's presentation of this token is correct,
    so only the token is attacked.
    """
    return lambda: GENUINE.presenting("tax_band", token=token).verify()


def signed(header: str, payload: str, sign: Callable[[bytes], bytes] = ISSUER.signer.sign) -> str:
    return f"{header}.{payload}.{encode_base64url(sign(f'{header}.{payload}'.encode()))}"


def with_header(header: Any, sign: Callable[[bytes], bytes] = ISSUER.signer.sign) -> Attack:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return with_token(signed(encode_base64url(raw), PAYLOAD, sign))


def with_payload(raw: bytes) -> Attack:
    return with_token(signed(HEADER, encode_base64url(raw)))


def with_disclosure(raw: bytes) -> Attack:
    return with_parts(SHOWN[0], encode_base64url(raw), SHOWN[-1])


def with_claims(**claims: Any) -> Attack:
    """Put these claims into the certificate; a dishonest issuer has signed and anchored it."""
    return lambda: usage(claims=claims).verify()


def with_evidence(change: Callable[[str], str], member: str = "notice_digest") -> Attack:
    """Change the text of the entries that have the member ``member`` (by default the authorization), and anchor the
    changed entries.
    """

    def write(entry: Changes) -> str:
        return change(as_text(entry)) if member in entry else as_text(entry)

    return lambda: usage(write=write).verify()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
