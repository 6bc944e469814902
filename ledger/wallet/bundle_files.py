"""Files with bundles that a service gives to a subject: a single bundle, or JSON lines with a bundle on each line."""

from __future__ import annotations

from typing import Final

from ledger.errors import BadBundle
from ledger.proof.bundle import Bundle, parse_bundle

MAX_BUNDLES_BYTES: Final = 64 * 1024 * 1024


def bundles_in(raw: bytes) -> list[Bundle]:
    """Return the bundles in a file's bytes; raise ``BadBundle`` for the first invalid bundle, with its line."""
    if len(raw) > MAX_BUNDLES_BYTES:
        raise BadBundle("BUNDLES_TOO_LARGE", f"The file is larger than {MAX_BUNDLES_BYTES} bytes.")
    lines = [(place, line.strip()) for place, line in enumerate(raw.splitlines(), start=1) if line.strip()]
    if not lines or not (lines[0][1].startswith(b"{") and lines[0][1].endswith(b"}")):
        return [parse_bundle(raw)]
    bundles = []
    for place, line in lines:
        try:
            bundles.append(parse_bundle(line))
        except BadBundle as error:
            raise BadBundle(error.code, error.message, where=f"line {place}", hint=error.hint) from error
    return bundles
