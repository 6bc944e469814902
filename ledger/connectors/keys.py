"""Finds out from a source's key column which rows belong to the subject, and whether the column can be trusted.

The answer ``no_data`` is signed, and a bank relies on it. So ``no_data`` is given only if the keys in the column are
intact: a spreadsheet may turn an ID number into 4.40811E+17, or make it end in 000, and then the subject's rows would
not be found.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, InvalidOperation
from enum import Enum
from typing import Final

from ledger.connectors.normal import normal_text
from ledger.connectors.table import Wanted
from ledger.connectors.values import BadValue, as_text
from ledger.domain.codes import check_resident_id, check_uscc
from ledger.errors import InvalidInput, Misconfigured

# The usual form of a USCC and of a resident ID number: 18 digits and letters.
PLAIN: Final = r"^[0-9A-HJ-NPQRTUWXY]{18}$"
_PLAIN: Final = re.compile(PLAIN)
_LENGTH: Final = 18
_EXPONENT: Final = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,3}", re.ASCII)
_WHOLE: Final = re.compile(r"([0-9]+)\.0*", re.ASCII)
# Blanks and the signs that people write between groups of digits. They are removed before keys are compared.
_BLANKS: Final = re.compile(r"[\s,\-\u2010-\u2015]+")
KEPT_DIGITS: Final = 15
_AROUND: Final = (" ", "\t", "\r", "\n", "\u00a0", "\u200b", "\u3000", "\ufeff")
# Limits for one query: how many distinct values have their check digits verified, and for how many values the result is
# kept in memory.
MAX_CHECKED: Final = 10_000
MAX_REMEMBERED: Final = 50_000
# A 64-bit float cannot represent every whole number above this number.
_EXACT: Final = 2**53
# If a cell contains one of these texts, the row has no key: the texts mean "no value" in an export, or "same as above"
# in a list.
NO_KEYS: Final = frozenset(
    {"NULL", "NONE", "NAN", "N/A", "\\N", "DITTO", "同上", "〃", "〃〃", '"', '""', "'", "”", "′′"}
)


class Whose(Enum):
    """To whom a row belongs, according to its key cell. ``NOBODYS``: the cell is empty or holds one of ``NO_KEYS``."""

    SUBJECTS = "subject's"
    OTHERS = "another's"
    NOBODYS = "nobody's"


def normal_key(text: str) -> str:
    """Return an identifier in capitals, without blanks inside it, and otherwise in the form of ``normal_text``."""
    key = _BLANKS.sub("", normal_text(text)).upper()
    whole = _WHOLE.fullmatch(key)
    return whole[1] if whole else key


def sound(key: str) -> bool:
    """Return whether the key is a USCC or a resident ID number with correct check digits."""
    for check in (check_uscc, check_resident_id):
        try:
            check(key)
        except InvalidInput:
            continue
        return True
    return False


class KeyColumn:
    """Decides from the key cells that one query reads which rows belong to the subject. Errors name the source as
    ``where`` says, and the row by its number, after the word ``unit`` (row or line).

    An identifier without check digits must match exactly, because damage cannot be recognised without check digits.
    ``any_row`` becomes true when a row with a key is read.
    """

    def __init__(self, wanted: Wanted, where: str, unit: str = "row") -> None:
        self._wanted = wanted
        self._where = where
        self._unit = unit
        self.any_row = False
        self._key = normal_key(wanted.value)
        self.checked = sound(self._key)
        self._verdicts: dict[str, Whose] = {}
        self._filled = self._sound = self._broken = self._examined = 0
        self._first_broken: int | None = None

    def whose(self, cell: object, number: int | None = None) -> Whose:
        """Return to whom a row belongs, according to its key cell ``cell``; ``number`` is the row's number.

        Raises ``Misconfigured`` ``SOURCE_KEY_DAMAGED`` if the cell may be the subject's key that a spreadsheet has
        damaged.
        """
        if not self.checked and cell == self._wanted.value:
            self.any_row = True
            return Whose.SUBJECTS
        try:
            # A float above ``_EXACT`` may have lost its last digits. It is written with an exponent, so that the key is
            # treated as damaged.
            text = f"{cell:.14E}" if isinstance(cell, float) and abs(cell) > _EXACT else as_text(cell)
        except BadValue:
            # The cell has lost digits, or contains a formula error or bytes. So nobody knows to whom the row belongs.
            raise self.damaged(number) from None
        verdict = self._verdicts.get(text)
        if verdict is None:
            verdict = self._judge(text, number)
            if len(self._verdicts) < MAX_REMEMBERED:
                self._verdicts[text] = verdict
        self.any_row = self.any_row or verdict is not Whose.NOBODYS
        return verdict

    @property
    def prefix(self) -> str:
        """The first digits of the subject's key, which a spreadsheet keeps. All values that begin with these digits are
        examined.
        """
        return self._key[:KEPT_DIGITS]

    @property
    def left_to_examine(self) -> int:
        """How many more values of the usual form may be examined (their check digits verified) in this query."""
        return MAX_CHECKED - self._examined

    def pass_over(self, count: int) -> None:
        """Count this many values of the usual form as intact, although their check digits are not verified."""
        self._filled += count
        self._sound += count

    def conclude(self, *, found: bool) -> None:
        """Raise ``SOURCE_KEY_DAMAGED`` if no row was found and the column has damaged keys: the answer ``no_data``
        might then be false.
        """
        if not found and self.checked and (self._broken or (self._filled and not self._sound)):
            raise self.damaged(self._first_broken)

    def damaged(self, number: int | None = None) -> Misconfigured:
        """Return the error for a damaged key. It names the column and the row, but no value."""
        column = self._wanted.key_column
        return Misconfigured(
            "SOURCE_KEY_DAMAGED",
            f"主键列“{column}”的值已损坏，不能据此答复。"
            f"The column {column} holds values that a spreadsheet damaged, or whose check digits are wrong.",
            where=self._at(number),
            hint="请把该列按文本重新导出。"
            "Export the source again with this column as text; see docs/guides/sources.md.",
            column=column,
        )

    def missing(self, number: int) -> Misconfigured:
        """Return the error for a row with content but without a key, because the row could belong to the subject."""
        column = self._wanted.key_column
        return Misconfigured(
            "SOURCE_KEY_DAMAGED",
            f"该行有内容，但主键列“{column}”为空，无法判断属于哪个主体，不能据此答复。"
            f"The row has content, but its key column {column} is empty, so it is unknown whose row it is.",
            where=self._at(number),
            hint="请在每行填写主键（合并过的单元格要逐行填入），并删除不属于任何主体的行（如合计）。"
            "Fill in the key in every row, also after unmerging cells; delete rows of no subject, such as totals.",
            column=column,
        )

    def _at(self, number: int | None) -> str:
        return self._where if number is None else f"{self._where}, {self._unit} {number}"

    def _judge(self, text: str, number: int | None) -> Whose:
        key = normal_key(text)
        if not key or key in NO_KEYS:
            return Whose.NOBODYS
        if not self.checked:
            return Whose.OTHERS
        self._filled += 1
        if key == self._key:
            self._sound += 1
            return Whose.SUBJECTS
        good = self._is_good(key)
        if not good and self._could_be(key):
            raise self.damaged(number)
        self._sound += good
        if not good and _is_broken(key):
            self._first_broken = self._first_broken if self._broken else number
            self._broken += 1
        return Whose.OTHERS

    def _is_good(self, key: str) -> bool:
        if not _PLAIN.match(key):
            return False
        if self._near(key):
            return sound(key) and not (key.isdigit() and key.endswith("000"))
        if self._examined >= MAX_CHECKED:
            return True
        self._examined += 1
        return sound(key)

    def _near(self, key: str) -> bool:
        return key[:KEPT_DIGITS] == self._key[:KEPT_DIGITS]

    def _could_be(self, key: str) -> bool:
        """Return whether the value may be the subject's key in another form: damaged by a spreadsheet, masked, or with
        15 digits (the old form).
        """
        own = self._key
        if _EXPONENT.fullmatch(key):
            return own.isdigit() and _rounds_to(own, key)
        if "*" in key:
            return len(key) == len(own) and all(a in ("*", b) for a, b in zip(key, own, strict=True))
        # The last characters of the key may be missing or changed, or the value is the old form without century and
        # check digit.
        return self._near(key) or key == own[:6] + own[8:17]


def variants(value: str) -> list[str]:
    """Return damaged or decorated forms of a key, without the key itself.

    A database is queried for these forms too, because a query for the exact key does not return such rows.
    """
    key = normal_key(value)
    if not sound(key):
        return []
    wide = key.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    parts = key[:6], key[6:14], key[14:]
    forms = [
        key,
        key.lower(),
        wide,
        wide.lower(),
        f"'{key}",
        f"’{key}",
        f'="{key}"',
        f"{key[:-1]}x",
        " ".join(parts),
        "-".join(parts),
    ]
    decorated = [text for form in forms[:2] for sign in _AROUND for text in (sign + form, form + sign)]
    decorated += [f"'{key}\t", f"\t{key}\t", f"{key}\r\n"]
    numbers = _numbers(key) if key.isdigit() else []
    short = [key[:17], key[:KEPT_DIGITS], key[:6] + key[8:17]]
    return [form for form in dict.fromkeys([*forms, *decorated, *numbers, *short]) if form != value]


def _numbers(key: str) -> list[str]:
    """Return every text that a spreadsheet may write for the key after turning the key into a number."""
    forms = [f"{key[:KEPT_DIGITS]}000", f"{float(key):.0f}", f"{key}.0", repr(float(key))]
    for places in range(1, 17):
        mantissa, exponent = f"{Decimal(key):.{places}E}".split("E")
        short = mantissa.rstrip("0").rstrip(".")
        forms += [f"{text}{sign}{exponent}" for text in (mantissa, short) for sign in "Ee"]
    return forms


def _is_broken(key: str) -> bool:
    """Return whether an invalid key is a damaged identifier. Its exponent or its length shows this."""
    if _EXPONENT.fullmatch(key):
        return True
    return len(key) == _LENGTH or (key.isdigit() and 15 < len(key) <= 20)


def _rounds_to(own: str, shown: str) -> bool:
    try:
        number = Decimal(shown)
        digits = len(shown.split("E")[0].replace(".", ""))
        return Context(prec=min(digits, KEPT_DIGITS)).create_decimal(own) == Context(prec=KEPT_DIGITS).create_decimal(
            number
        )
    except InvalidOperation:
        return True
