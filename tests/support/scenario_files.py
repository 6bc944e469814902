"""A scenario file of an operator, and the scenario files of the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from ledger.errors import InvalidInput
from ledger.rulebooks.scenarios import ScenarioBook

PACKAGED = sorted(Path(str(files("ledger") / "scenarios")).glob("*.yaml"))
VALID = """\
code: S77
version: 1
guide_version: 1
standing: proposed
title: {zh: 试点, en: Pilot}
purpose:
  zh: 用途
  en: Purpose
basis_note: {zh: 建议, en: A proposal}
request_note: {zh: 编号, en: A number}
domain: 普惠金融
consumer_kinds: [bank]
subject_kinds: [enterprise]
legal_basis: consent
requires_pia: false
payload_mode: predicate
max_validity_days: 30
max_uses: 1
retention_days: 30
pilot_from: 2026-01-01
pilot_to: "2026-12-31"
channels: [subject_carried]
price: {use: industry, unit: call, cap: 500, amount: 200}
grade: general_3
sources:
  - name: electricity
    title: {zh: 用电, en: Electricity}
    provider_kinds: [utility]
  - name: gas
    title:
      zh: 用气
      en: Gas
    provider_kinds: [utility]
fields:
  - name: months
    title: {zh: 月数, en: Months}
    source: gas
    type: integer
    rule: {op: count_distinct, column: month}
  - name: band
    title: {zh: 区间, en: Band}
    source: electricity
    type: band
    rule:
      op: band
      column: kwh
      order: month
      edges: ["10", "20"]
rights_duties:
  subject: [be_informed]
  provider: [correct_errors]
  consumer: [delete_it]
"""


def write_scenario(folder: Path, text: str = VALID, name: str = "pilot.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def refusal(folder: Path) -> InvalidInput:
    """Require that the scenarios of a folder are refused, and return the error."""
    with pytest.raises(InvalidInput) as caught:
        ScenarioBook.load(folder)
    return caught.value
