"""labels.toml has a Chinese name for the kinds and roles of parties, for grades, and for the members of a statement."""

from __future__ import annotations

import re

import pytest

from ledger.cli.certificates.history import EVENT_TITLES
from ledger.cli.shell.output import coded, emit
from ledger.domain.grades import GRADES
from ledger.domain.parties import PartyKind, Role
from ledger.proof.head import EVENTS

NAMED = re.compile(r"^[一-鿿][一-鿿 0-9]* (\w+)$")
LOCAL_EVENTS = {"Issued", "Verified", "Disclosed", "Erased"}


@pytest.mark.parametrize("code", sorted({*PartyKind, *Role, *GRADES}))
def test_every_kind_of_party_and_every_role_and_every_grade_has_a_chinese_name(code: str) -> None:
    found = NAMED.match(coded(code))
    assert found is not None and found[1] == code


def test_a_code_without_a_chinese_name_is_shown_without_a_name() -> None:
    assert coded("unheard_of") == "unheard_of"


def test_a_table_shows_the_chinese_names_of_a_kind_and_of_each_role(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"kind": "utility", "roles": ["provider", "consumer"], "name": "utility"}, as_json=False)
    printed = capsys.readouterr().out
    assert "公用企业 utility" in printed and "提供方 provider, 使用方 consumer" in printed
    assert printed.count("公用企业") == 1


def test_every_event_of_a_certificate_has_a_chinese_title() -> None:
    on_chain = {name.removeprefix("CertificateLog.") for name in EVENTS if name.startswith("CertificateLog.")}
    assert EVENT_TITLES.keys() == on_chain | LOCAL_EVENTS
