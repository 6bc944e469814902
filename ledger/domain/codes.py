"""Identifiers with check digits: USCC, resident ID, certificate number, region code.

No error repeats the identifier: it may be personal.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from ledger.domain.regions import REGIONS
from ledger.errors import InvalidInput

_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# GB 32100-2015, table 1 with amendment 1, the office that registers: 1 establishment, 2 foreign affairs, 3 justice,
# 4 culture, 5 civil affairs, 6 tourism, 7 religion, 8 trade unions, 9 market regulation, A army, N agriculture,
# Y others.
_REGISTERING: Final = frozenset("123456789ANY")
_CATEGORIES: Final = frozenset("123456789")
_ENTERPRISE: Final = "91"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
# GB/T 2260, first two digits: provinces, and since 2018 the residence permits of Hong Kong, Macao (81, 82) and Taiwan
# (71, 83).
_PROVINCES: Final = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_FIRST_BIRTH: Final = 1880
# No county of Zhanjiang has or had it: an ID number with it is synthetic.
SYNTHETIC_REGION: Final = "440899"
_SYNTHETIC_FIRST_BIRTH: Final = date(1950, 1, 1)
# Of one day. Sequences in hundreds are left out: with 0 as check digit such a number ends in 000, as one does whose
# last digits a spreadsheet lost.
_SEQUENCES: Final = 990
_RESIDENT_ID: Final = re.compile(r"\d{17}[\dX]", re.ASCII)
_RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS: Final = "10X98765432"
_NUMBER: Final = re.compile(r"DAC-(4408\d{2})-(\d{4})-(S\d{2})-(\d{8})-([0-9A-Z])", re.ASCII)
_MOD_37_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_SERIAL: Final = 99_999_999


def check_uscc(value: str, where: str | None = None) -> str:
    """The unified social credit code by its form, GB 32100-2015; raises ``InvalidInput`` ``USCC_…``.

    The first character names the office that registers and the second the kind of body (table 1), the third to eighth
    are digits (clause 4.2.3, GB/T 2260): codes with letters there, which some public test suites make, are refused.
    """
    if len(value) != 18:
        raise InvalidInput("USCC_LENGTH", f"A USCC has 18 characters, not {len(value)}.", where=where)
    if any(symbol not in _USCC_ALPHABET for symbol in value):
        raise InvalidInput(
            "USCC_SYMBOL",
            "A USCC is written in ASCII digits and capitals without I, O, S, V and Z.",
            where=where,
            hint="Check for full-width digits, lower case, spaces and look-alike letters.",
        )
    if value[0] not in _REGISTERING or value[1] not in _CATEGORIES:
        raise InvalidInput(
            "USCC_OFFICE", "The first two characters of the USCC name no office and no kind of body.", where=where
        )
    if not value[2:8].isdigit():
        raise InvalidInput("USCC_REGION", "The third to eighth characters of a USCC are digits.", where=where)
    if value[-1] != uscc_check(value[:17]):
        raise InvalidInput(
            "USCC_CHECK_DIGIT", "The check character of the USCC is wrong.", where=where, hint="Check every digit."
        )
    return value


def check_institution(value: str, where: str | None = None) -> str:
    """The USCC of an institution that is to be registered: as ``check_uscc``, and no person's ID number in its place.

    Raises ``InvalidInput`` ``USCC_…``. One in 31 ID numbers has the check character of a USCC too: those are told apart
    by the organisation code in the USCC, which an ID number does not hold.
    """
    if is_resident_id(value) and not organisation_agrees(value):
        raise InvalidInput(
            "USCC_IS_ID_NUMBER",
            "This is a person's ID number and no USCC.",
            where=where,
            hint="A person is registered as a person; an institution by the code on its licence.",
        )
    return check_uscc(value, where)


def organisation_agrees(value: str) -> bool:
    """Whether the ninth to seventeenth characters of a USCC are an organisation code, GB 11714-1997.

    Codes in use break it, as offices numbered by themselves before 2015: it is a reason to warn and not to refuse.
    """
    return value[16:17] == _organisation_check(value[8:16])


def _organisation_check(body: str) -> str:
    """GB 11714-1997: 11 - sum mod 11, where 10 is written X and 11 is written 0."""
    total = sum(
        weight * _MOD_37_ALPHABET.index(symbol) for weight, symbol in zip(_ORGANISATION_WEIGHTS, body, strict=True)
    )
    return "0123456789X0"[11 - total % 11]


def uscc_check(body: str) -> str:
    """The check character over the first 17, GB 32100-2015: weights 3^i mod 31, a sum of 0 gives 0."""
    total = sum(_USCC_ALPHABET.index(symbol) * pow(3, place, 31) for place, symbol in enumerate(body))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


def synthetic_uscc(region: str, serial: int) -> str:
    """A valid USCC of no real enterprise, for demonstrations: organisation codes ``MA9X`` and a serial below 10,000."""
    organisation = f"MA9X{serial:04d}"
    body = f"{_ENTERPRISE}{region[:6]}{organisation}{_organisation_check(organisation)}"
    return body + uscc_check(body)


def check_resident_id(value: str, where: str | None = None, *, today: date | None = None) -> str:
    """The citizen identification number, GB 11643-1999, with ``X`` in upper case; raises ``InvalidInput``.

    The first two digits are a province or a residence permit's region (GB/T 2260). The county is not looked up:
    counties lapse, and a number is for life. The sequence number may be 000: clause 4.2.3 leaves none out. ``today`` is
    the day in Shanghai: who is born after it has no number yet.
    """
    number = value.upper() if value.isascii() else value
    if not _RESIDENT_ID.fullmatch(number):
        raise InvalidInput("RESIDENT_ID_FORM", "An ID number has 17 ASCII digits and a digit or X.", where=where)
    if not _PROVINCES.match(number):
        raise InvalidInput("RESIDENT_ID_REGION", "The ID number begins with no province.", where=where)
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise InvalidInput("RESIDENT_ID_DATE", "The date in the ID number does not exist.", where=where) from None
    if born.year < _FIRST_BIRTH or (today is not None and born > today):
        raise InvalidInput("RESIDENT_ID_DATE", "Nobody alive was born on the date in the ID number.", where=where)
    if number[-1] != resident_check(number[:17]):
        raise InvalidInput("RESIDENT_ID_CHECK_DIGIT", "The check character of the ID number is wrong.", where=where)
    return number


def is_resident_id(value: str) -> bool:
    """Whether ``check_resident_id`` takes the text, whatever day it is."""
    try:
        check_resident_id(value)
    except InvalidInput:
        return False
    return True


def resident_check(body: str) -> str:
    """The check character over the first 17 digits, GB 11643-1999: MOD 11-2."""
    total = sum(weight * int(symbol) for weight, symbol in zip(_RESIDENT_WEIGHTS, body, strict=True))
    return _RESIDENT_CHECKS[total % 11]


def synthetic_resident_id(serial: int) -> str:
    """A valid ID number that says "synthetic": its region is ``SYNTHETIC_REGION``. A serial is below 1,000,000."""
    days, sequence = divmod(serial, _SEQUENCES)
    sequence += sequence // 99 + 1
    body = f"{SYNTHETIC_REGION}{_SYNTHETIC_FIRST_BIRTH + timedelta(days=days):%Y%m%d}{sequence:03d}"
    return body + resident_check(body)


def check_region(value: str, where: str | None = None) -> str:
    """The region code if it is one of ours; raises ``InvalidInput`` ``REGION_UNKNOWN``."""
    if value not in REGIONS:
        raise InvalidInput(
            "REGION_UNKNOWN", "This is no region code of Zhanjiang.", where=where, hint=f"One of: {', '.join(REGIONS)}."
        )
    return value


def certificate_no(region: str, year: int, scenario: str, serial: int) -> str:
    """``DAC-<region>-<year>-<scenario>-<serial>-<check>``; raises ``InvalidInput`` ``SERIAL_EXHAUSTED``."""
    if not 1 <= serial <= MAX_SERIAL:
        raise InvalidInput("SERIAL_EXHAUSTED", f"Serials run from 1 to {MAX_SERIAL}.", where="serial")
    body = f"DAC-{region}-{year:04d}-{scenario}-{serial:08d}"
    return f"{body}-{_mod_37_36(body.replace('-', ''))}"


def check_certificate_no(value: str, where: str | None = None) -> str:
    """The certificate number; raises ``InvalidInput`` ``CERTIFICATE_NO_…``."""
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise InvalidInput(
            "CERTIFICATE_NO_FORM",
            "This is not a certificate number.",
            where=where,
            hint="It reads like DAC-440802-2026-S01-00000123-V.",
        )
    if match[1] not in REGIONS:
        raise InvalidInput("CERTIFICATE_NO_REGION", "The number's region is not one of Zhanjiang.", where=where)
    if _mod_37_36(value[:-2].replace("-", "")) != match[5]:
        raise InvalidInput("CERTIFICATE_NO_CHECK_DIGIT", "The check character of the number is wrong.", where=where)
    return value


def _mod_37_36(text: str) -> str:
    """Check character, ISO 7064 MOD 37,36 (hybrid system)."""
    product = 36
    for symbol in text:
        total = (product + _MOD_37_ALPHABET.index(symbol)) % 36 or 36
        product = total * 2 % 37
    return _MOD_37_ALPHABET[(37 - product) % 36]
