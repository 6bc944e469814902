# SPDX-License-Identifier: Apache-2.0
"""Checks and makes USCCs, resident ID numbers, certificate numbers and region codes, and their check characters.

No error message repeats the identifier, because it may be personal data.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from ledger.domain.regions import REGIONS
from ledger.errors import InvalidInput

_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# The first character of a USCC names a registration authority (GB 32100-2015, table 1 with amendment 1): 1
# establishment, 2 foreign affairs, 3 justice, 4 culture, 5 civil affairs, 6 tourism, 7 religion, 8 trade unions, 9
# market regulation, A army, N agriculture, Y others.
_REGISTERING: Final = frozenset("123456789ANY")
_CATEGORIES: Final = frozenset("123456789")
_ENTERPRISE: Final = "91"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
# The first two digits of an ID number (GB/T 2260): the provinces, and since 2018 the residence permits for people of
# Hong Kong (81), Macao (82) and Taiwan (71, 83).
_PROVINCES: Final = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_FIRST_BIRTH: Final = 1880
# No county of Zhanjiang has ever had this code. So an ID number that begins with it was invented for a demonstration.
SYNTHETIC_REGION: Final = "440899"
_SYNTHETIC_FIRST_BIRTH: Final = date(1950, 1, 1)
# How many synthetic ID numbers each birth date has. The sequence numbers 100, 200, … are skipped: with the check digit
# 0, such a number would end in 000, like a number whose last digits a spreadsheet has lost.
_SEQUENCES: Final = 990
_RESIDENT_ID: Final = re.compile(r"\d{17}[\dX]", re.ASCII)
_RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS: Final = "10X98765432"
_NUMBER: Final = re.compile(r"DAC-(4408\d{2})-(\d{4})-(S\d{2})-(\d{8})-([0-9A-Z])", re.ASCII)
_MOD_37_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOD_37_VALUES: Final = {symbol: value for value, symbol in enumerate(_MOD_37_ALPHABET)}
MAX_SERIAL: Final = 99_999_999


def check_uscc(value: str, where: str | None = None) -> str:
    """Return the unified social credit code if its form is valid (GB 32100-2015); otherwise raise ``InvalidInput``
    ``USCC_…``.

    The first character is the registration authority and the second the kind of institution (table 1). The third to
    eighth are digits (clause 4.2.3, GB/T 2260): a code with letters there, as some public test suites have, is refused.
    """
    if len(value) != 18:
        raise InvalidInput("USCC_LENGTH", f"A USCC has 18 characters, not {len(value)}.", where=where)
    if any(symbol not in _USCC_ALPHABET for symbol in value):
        raise InvalidInput(
            "USCC_SYMBOL",
            "A USCC contains only ASCII digits and capital letters, without I, O, S, V and Z.",
            where=where,
            hint="Check for full-width digits, lower case, spaces and look-alike letters.",
        )
    if value[0] not in _REGISTERING or value[1] not in _CATEGORIES:
        raise InvalidInput(
            "USCC_OFFICE",
            "The first two characters of the USCC are not a known registration authority and kind of institution.",
            where=where,
        )
    if not value[2:8].isdigit():
        raise InvalidInput("USCC_REGION", "The third to eighth characters of a USCC must be digits.", where=where)
    if value[-1] != uscc_check(value[:17]):
        raise InvalidInput(
            "USCC_CHECK_DIGIT", "The check character of the USCC is wrong.", where=where, hint="Check every character."
        )
    return value


def check_institution(value: str, where: str | None = None) -> str:
    """Return the USCC of an institution that is to be registered. A person's ID number is refused.

    One in 31 ID numbers also has a valid USCC check character. But only a USCC contains an organisation code, so this
    code is checked too. Raises ``InvalidInput`` ``USCC_…``.
    """
    if is_resident_id(value) and not organisation_agrees(value):
        raise InvalidInput(
            "USCC_IS_ID_NUMBER",
            "This is a person's ID number, not a USCC.",
            where=where,
            hint="Choose the kind person to register a person. For an institution, give the USCC on its licence.",
        )
    return check_uscc(value, where)


def organisation_agrees(value: str) -> bool:
    """Return whether the ninth to seventeenth characters of a USCC are an organisation code (GB 11714-1997).

    Some USCCs in use contain no organisation code, because authorities had their own numbering before 2015. So callers
    only warn, and do not refuse such a USCC.
    """
    return value[16:17] == _organisation_check(value[8:16])


def _organisation_check(body: str) -> str:
    """Return the check character of an organisation code (GB 11714-1997): 11 - sum mod 11, where 10 is X and 11 is
    0.
    """
    total = sum(
        weight * _MOD_37_ALPHABET.index(symbol) for weight, symbol in zip(_ORGANISATION_WEIGHTS, body, strict=True)
    )
    return "0123456789X0"[11 - total % 11]


def uscc_check(body: str) -> str:
    """Return the check character for the first 17 characters of a USCC (GB 32100-2015). The weights are 3^i mod 31. If
    the weighted sum is divisible by 31, the character is 0.
    """
    total = sum(_USCC_ALPHABET.index(symbol) * pow(3, place, 31) for place, symbol in enumerate(body))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


def synthetic_uscc(region: str, serial: int) -> str:
    """Return a valid USCC for demonstrations. Its organisation code is ``MA9X`` and ``serial``, which is below
    10,000.
    """
    organisation = f"MA9X{serial:04d}"
    body = f"{_ENTERPRISE}{region[:6]}{organisation}{_organisation_check(organisation)}"
    return body + uscc_check(body)


def check_resident_id(value: str, where: str | None = None, *, today: date | None = None) -> str:
    """Return the citizen identification number (GB 11643-1999) with ``X`` in upper case.

    The first two digits must be a province or a residence permit's region (GB/T 2260). The county is not checked,
    because counties are abolished while a number is valid for life. The sequence number may be 000: clause 4.2.3
    excludes none. ``today`` is the day in Shanghai; a later birth date is refused. Raises ``InvalidInput``
    ``RESIDENT_ID_…``.
    """
    number = value.upper() if value.isascii() else value
    if not _RESIDENT_ID.fullmatch(number):
        raise InvalidInput(
            "RESIDENT_ID_FORM", "An ID number has 17 ASCII digits, followed by a digit or X.", where=where
        )
    if not _PROVINCES.match(number):
        raise InvalidInput(
            "RESIDENT_ID_REGION", "The ID number does not begin with the code of a province.", where=where
        )
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise InvalidInput("RESIDENT_ID_DATE", "The date in the ID number does not exist.", where=where) from None
    if born.year < _FIRST_BIRTH or (today is not None and born > today):
        raise InvalidInput("RESIDENT_ID_DATE", "The birth date in the ID number is impossible.", where=where)
    if number[-1] != resident_check(number[:17]):
        raise InvalidInput("RESIDENT_ID_CHECK_DIGIT", "The check character of the ID number is wrong.", where=where)
    return number


def is_resident_id(value: str) -> bool:
    """Return whether the text is a resident ID number. A birth date in the future is accepted."""
    try:
        check_resident_id(value)
    except InvalidInput:
        return False
    return True


def resident_check(body: str) -> str:
    """Return the check character for the first 17 digits of a resident ID number (GB 11643-1999, MOD 11-2)."""
    total = sum(weight * int(symbol) for weight, symbol in zip(_RESIDENT_WEIGHTS, body, strict=True))
    return _RESIDENT_CHECKS[total % 11]


def synthetic_resident_id(serial: int) -> str:
    """Return a valid ID number of ``SYNTHETIC_REGION``. It belongs to no person. ``serial`` is below 1,000,000."""
    days, sequence = divmod(serial, _SEQUENCES)
    sequence += sequence // 99 + 1
    body = f"{SYNTHETIC_REGION}{_SYNTHETIC_FIRST_BIRTH + timedelta(days=days):%Y%m%d}{sequence:03d}"
    return body + resident_check(body)


def check_region(value: str, where: str | None = None) -> str:
    """Return the region code if it is in ``REGIONS``; otherwise raise ``InvalidInput`` ``REGION_UNKNOWN``."""
    if value not in REGIONS:
        raise InvalidInput(
            "REGION_UNKNOWN",
            "This is not a region code of Zhanjiang.",
            where=where,
            hint=f"Use one of: {', '.join(REGIONS)}.",
        )
    return value


def certificate_no(region: str, year: int, scenario: str, serial: int) -> str:
    """Return the certificate number ``DAC-<region>-<year>-<scenario>-<serial>-<check>``.

    Raises ``InvalidInput`` ``SERIAL_EXHAUSTED`` if the serial is above ``MAX_SERIAL``.
    """
    if not 1 <= serial <= MAX_SERIAL:
        raise InvalidInput("SERIAL_EXHAUSTED", f"A serial must be from 1 to {MAX_SERIAL}.", where="serial")
    body = f"DAC-{region}-{year:04d}-{scenario}-{serial:08d}"
    return f"{body}-{_mod_37_36(body.replace('-', ''))}"


def check_certificate_no(value: str, where: str | None = None) -> str:
    """Return the certificate number if it is valid; otherwise raise ``InvalidInput`` ``CERTIFICATE_NO_…``."""
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise InvalidInput(
            "CERTIFICATE_NO_FORM",
            "This is not a certificate number.",
            where=where,
            hint="Write it like DAC-440802-2026-S01-00000123-V.",
        )
    if match[1] not in REGIONS:
        raise InvalidInput("CERTIFICATE_NO_REGION", "The region in the number is not in Zhanjiang.", where=where)
    if _mod_37_36(value[:-2].replace("-", "")) != match[5]:
        raise InvalidInput("CERTIFICATE_NO_CHECK_DIGIT", "The check character of the number is wrong.", where=where)
    return value


def _mod_37_36(text: str) -> str:
    """Return the check character of a text, ISO 7064 MOD 37,36 (hybrid system)."""
    product = 36
    for symbol in text:
        total = (product + _MOD_37_VALUES[symbol]) % 36 or 36
        product = total * 2 % 37
    return _MOD_37_ALPHABET[(37 - product) % 36]
