"""What the schema promises holds for made-up calls: no answer that it does not have, and none that is our fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.conftest import Api
from tests.api.role_stage import Stage
from tests.api.trying_schema import trying

SEED = 20261130
LEAST = 250


@pytest.mark.parametrize("role", ["U", "C", "A"])
def test_made_up_calls_are_answered_as_the_schema_says(api: Api, stage: Stage, tmp_path: Path, role: str) -> None:
    with trying(api, stage, tmp_path) as service:
        tried = service.run(role, ("examples", "fuzzing", "stateful"), examples=1, seed=SEED)
    assert not tried.failures, "\n".join(tried.failures)
    assert tried.calls >= LEAST and max(tried.statuses) < 500, tried.statuses
    assert role == "U" or tried.statuses[200] > 20, tried.statuses
