"""docs/configuration.md names every environment variable that the code reads."""

from __future__ import annotations

import re

from scripts.configuration import page
from tests.support.places import PROJECT

VARIABLE = re.compile(r"PINGZHENG_[A-Z_]*[A-Z]")


def test_the_page_of_settings_lists_every_environment_variable_that_the_source_names() -> None:
    sources = [path for room in ("ledger", "api") for path in (PROJECT / room).rglob("*.py")]
    named = {name for path in sources for name in VARIABLE.findall(path.read_text("utf-8"))}
    assert {"PINGZHENG_HOME", "PINGZHENG_WALLET_PASSPHRASE", "PINGZHENG_LOG"} <= named
    # PINGZHENG_KEK is left out: it is only the first part of the names of variables that hold keys.
    assert named - {"PINGZHENG_KEK"} <= set(VARIABLE.findall(page()))
