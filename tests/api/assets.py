"""Register assets over HTTP, for tests."""

from __future__ import annotations

from typing import Any

from tests.support.api.parts import Api


def resource(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "title": f"Resource {code}",
        "package": "test",
        "rows": 1,
        "columns": 1,
        "fields": [{"name": "kwh", "type": "decimal"}],
        "content_digest": "sha-256:" + code.encode().hex().ljust(64, "0"),
    }


def registered(api: Api, code: str) -> str:
    answer = api.post("provider", "/v1/assets", {"resource": resource(code)})
    assert answer.status_code == 201, answer.text
    asset = str(answer.json()["asset"])
    api.pilot.take_through([asset])
    return asset
