"""Writes Excel files for tests."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet


def book(**sheets: list[list[Any]] | Callable[[Worksheet], None]) -> bytes:
    """Return a workbook; each sheet is given as rows, or as a function that fills it."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for title, content in sheets.items():
        sheet = made.create_sheet(title)
        if callable(content):
            content(sheet)
            continue
        for line in content:
            sheet.append(line)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()
