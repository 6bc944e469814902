"""Cases for comparing the verifiers: values just within the limits that §6 sets for them, and just beyond."""

from __future__ import annotations

from typing import Any

NUMBERS = [0, 1, 256, 999, 3_660, 10_000, 36_600, 65_535, 2**31 - 1, 2**31, 2**40 - 1, 2**53 - 1]
WORDS = """
S00 S99 S1 S511 S51/1/engine-1 S51/100000/engine-1 S51/1/engine-1000 2024-02-29 2026-02-29 20260831 0000-01-01
court sm3 disputed lapsed supplied timed_out valid no_data none lifted separate_consent contract raw important
general_5 hold operate cancel government_platform sha-256 sha-512 a.b/C-1 81K5M0000000000000000000P4 N n- Ａ S٣٣
2026-٠8-01 asset status _sd ... DAC-440802-2026-S01-00000123-V DAC-440802-2026-S01-00000123-W
DAC-440801-2026-S01-00000123-V subject_request retention_over process first change correct renew
licensed_credit_agency consent_withdrawn data_error expired_basis sanction key_compromise fraud superseded
investigation out_of_scope under_correction restricted basis_missing data_unusable source_unavailable not_yet_valid
expired suspended revoked used_up not_party tampered refused unknown aggregate predicate component statutory_duty
general_1 general_2 general_3 general_4 subject_carried consent yes no DAC-440801-2026-S51-00000123-S
DAC-440883-2026-S51-00000123-0 DAC-440883-2026-S00-00000123-7 DAC-440802-2026-S52-00000123-P
DAC-440802-0000-S51-99999999-4 DAC-440802-202-S51-00000123-7 DAC-440802-2026-S51-0000123-H
DAC-440802-2026-S51-00000123-w
"""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
DIGESTS = [f"{'A' * 40}{one}{two}A" for one in "AB" for two in LETTERS]
VALUES: list[Any] = [
    *(number + step for number in NUMBERS for step in (-1, 0, 1)),
    *("x" * size for size in (0, 1, 64, 65, 600, 601, 2_000, 2_001)),
    *WORDS.split(),
    "tax\n",
    *(f"{name}:{0:064x}" for name in ("sha-256", "sm3", "sha-512")),
    *([f"n{number}" for number in range(size)] for size in (8, 9, 64, 65)),
    *([f"sha-256:{number:064x}" for number in range(size)] for size in (0, 1, 8, 9, 64, 65, 1_024, 1_025)),
    *([f"{number:064x}" for number in range(size)] for size in (8, 9)),
    *({str(number): number for number in range(size)} for size in (0, 1, 64, 65)),
    *({f"n{number}": DIGESTS[number] for number in range(size)} for size in (64, 65)),
    *(
        {name: digest}
        for name in ("n", "N", "n" * 65)
        for digest in ("A" * 43, "A" * 42 + "B", "A" * 42, 7, ["A" * 43])
    ),
    {"a": "A" * 43, "b": "A" * 43},
    *(DIGESTS[:size] for size in (64, 65)),
    ["A" * 42 + "B"],
    *(None, True, False, 1.0, 2.0),
]
ANY: list[Any] = [
    None,
    True,
    [],
    {},
    "",
    "x",
    "0x",
    "A" * 43,
    "00" * 32,
    -1,
    0,
    1,
    2**53 - 1,
    2**53,
    1.5,
    "x" * 32,
    "x" * 33,
    "1" * 64,
]
"""Each value in a file is replaced by each of these values."""
