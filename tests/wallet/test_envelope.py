"""A wallet file can be opened only with its passphrase, and only if it was not changed. Every other file is refused."""

from __future__ import annotations

import json
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import BadBundle, InvalidInput
from ledger.wallet.envelope import (
    MAX_HEADER_BYTES,
    MAX_MEMORY,
    MAX_WALLET_BYTES,
    MIN_N,
    Cost,
    check_new_passphrase,
    seal,
    unseal,
)
from tests.support.actors.wallets import CHEAP, PASSPHRASE

CONTENT = b'{"certificates":{},"key":null}'
SEALED = seal(CONTENT, PASSPHRASE, CHEAP)
HEADER, NEWLINE, CIPHERTEXT = SEALED.partition(b"\n")


def code_of(raw: bytes, passphrase: str = PASSPHRASE) -> str:
    with pytest.raises(BadBundle) as refusal:
        unseal(raw, passphrase)
    return refusal.value.code


def with_header(**members: Any) -> bytes:
    """Return the wallet file with some members of its header replaced; keywords name members by their paths. The header
    stays canonical JSON.
    """
    header = json.loads(HEADER)
    for path, value in members.items():
        *way, last = path.split("__")
        part = header
        for step in way:
            part = part[step]
        part[last] = value
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode() + NEWLINE + CIPHERTEXT


@settings(max_examples=25)
@given(st.binary(max_size=4096), st.text(min_size=1, max_size=64))
def test_a_sealed_wallet_opens_with_its_passphrase(content: bytes, passphrase: str) -> None:
    assert unseal(seal(content, passphrase, CHEAP), passphrase) == content


def test_the_header_shows_the_parameters_and_no_content() -> None:
    assert json.loads(HEADER)["kdf"] | {"salt": "…"} == {"name": "scrypt", "n": MIN_N, "r": 8, "p": 1, "salt": "…"}
    assert with_header() == SEALED
    assert b"certificates" not in SEALED and len(SEALED) == len(HEADER) + 1 + len(CONTENT) + 16
    assert seal(CONTENT, PASSPHRASE, CHEAP).partition(b"\n")[0] != HEADER


@given(place=st.integers(0, len(SEALED) - 1), change=st.integers(1, 255))
def test_a_wallet_file_with_any_changed_byte_is_refused(place: int, change: int) -> None:
    raw = SEALED[:place] + bytes([SEALED[place] ^ change]) + SEALED[place + 1 :]
    assert code_of(raw) in {"WALLET_NOT_OPENED", "WALLET_FORM"}


@given(length=st.integers(0, len(SEALED) - 1))
def test_a_truncated_file_is_refused(length: int) -> None:
    assert code_of(SEALED[:length]) in {"WALLET_NOT_OPENED", "WALLET_FORM"}


@pytest.mark.parametrize(
    "raw",
    [
        SEALED[:-1] + bytes([SEALED[-1] ^ 1]),
        SEALED + b"\0",
        with_header(kdf__salt="A" * 22),
        with_header(cipher__nonce="A" * 16),
        with_header(kdf__n=2 * MIN_N),
        with_header(kdf__p=2),
    ],
    ids=["tag", "longer", "salt", "nonce", "n", "p"],
)
def test_a_changed_file_and_a_wrong_passphrase_give_the_same_error(raw: bytes) -> None:
    with pytest.raises(BadBundle) as changed:
        unseal(raw, PASSPHRASE)
    with pytest.raises(BadBundle) as wrong:
        unseal(SEALED, PASSPHRASE + " ")
    assert str(changed.value) == str(wrong.value) and changed.value.code == "WALLET_NOT_OPENED"


HOSTILE = {
    "memory": {"kdf__n": 2**40},
    "a little too much memory": {"kdf__n": 2 * MAX_MEMORY // 1024},
    "time": {"kdf__n": 2**17, "kdf__p": 2**20},
    "block size": {"kdf__r": 2**20},
    "no power of two": {"kdf__n": MIN_N + 1},
    "nothing to compute": {"kdf__n": 1},
    "zero": {"kdf__n": 0},
    "negative": {"kdf__n": -MIN_N},
    "no rounds": {"kdf__p": 0},
    "text": {"kdf__n": "1024"},
    "truth": {"kdf__p": True},
    "another function": {"kdf__name": "pbkdf2"},
    "another cipher": {"cipher__name": "none"},
    "another format": {"format": "pingzheng-wallet/3"},
    "short salt": {"kdf__salt": "AAAA"},
    "salt of another type": {"kdf__salt": 7},
    "short nonce": {"cipher__nonce": ""},
    "member too many": {"kdf__keylen": 1},
    "nesting": {"kdf__salt": [[[[]]]]},
    "not an object": {"cipher": "AES-256-GCM"},
}


@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_header_is_refused_before_anything_is_computed(members: dict[str, Any]) -> None:
    raw, begun = with_header(**members), time.process_time()
    assert code_of(raw) == "WALLET_FORM"
    # No key was derived: with as much memory as the header asks for, this would take seconds.
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"{}\n" + CIPHERTEXT,
        HEADER,
        HEADER + b"\n" + b"x" * 15,
        b" " + SEALED,
        HEADER.replace(b":", b": ") + b"\n" + CIPHERTEXT,
        b"[" * (MAX_HEADER_BYTES - 1) + b"\n" + CIPHERTEXT,
        b"x" * (MAX_WALLET_BYTES + 1),
        b"PK\x03\x04" * 1024,
    ],
    ids=["empty", "line", "no members", "no text", "no tag", "space", "spaces", "nesting", "too large", "archive"],
)
def test_a_file_that_is_not_a_wallet_is_refused(raw: bytes) -> None:
    assert code_of(raw) == "WALLET_FORM"


def test_the_default_cost_is_within_the_limits() -> None:
    assert Cost().bearable
    assert 128 * Cost().n * 8 == 128 * 1024 * 1024


def test_content_above_the_limit_is_refused_and_not_encrypted() -> None:
    with pytest.raises(InvalidInput, match="WALLET_FULL"):
        seal(bytes(MAX_WALLET_BYTES), PASSPHRASE, CHEAP)


def test_a_passphrase_in_another_unicode_form_opens_the_wallet() -> None:
    composed, decomposed = (unicodedata.normalize(form, "Élan à Zhànjiāng") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert unseal(seal(CONTENT, decomposed, CHEAP), composed) == CONTENT


@pytest.mark.parametrize("passphrase", ["", "elevenchars", "x" * 1025])
def test_a_weak_passphrase_is_refused(passphrase: str) -> None:
    with pytest.raises(InvalidInput, match="PASSPHRASE_UNFIT"):
        check_new_passphrase(passphrase)
    assert check_new_passphrase(PASSPHRASE) == PASSPHRASE


def test_a_wallet_of_protocol_1_is_refused_as_unsupported() -> None:
    assert code_of(with_header(format="pingzheng-wallet/1")) == "PROTOCOL_UNSUPPORTED"
