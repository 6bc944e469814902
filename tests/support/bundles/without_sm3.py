"""Simulates an OpenSSL without SM3."""

from __future__ import annotations

from typing import Any


def no_sm3(name: str, *_: Any) -> Any:
    raise ValueError(f"unsupported hash type {name}")
