"""A group of commands that opens the ledger for its commands and explains their errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, get_type_hints

import typer

from ledger.cli.shell.opening import opened, participating
from ledger.cli.shell.output import Home, errors_explained

Command = TypeVar("Command", bound=Callable[..., Any])
# The type of a command's first parameter says which installations the command works with.
_OPENINGS: Final = {"Ledger": opened, "Participant": participating}


class Group(typer.Typer):
    """Explains the errors of each command, and opens the ledger for each command whose first parameter is ``ledger``.

    In place of ``ledger`` such a command has the option ``--home``, before ``--json``.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"no_args_is_help": True} | options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[Command], Command]:
        """Register a command, as ``typer.Typer`` does."""
        register = super().command(name, **options)

        def add(function: Command) -> Command:
            register(_with_ledger(function) if "ledger" in function.__annotations__ else _explained(function))
            return function

        return add


def _explained(function: Callable[..., Any]) -> Callable[..., None]:
    @wraps(function)
    def run(**given: Any) -> None:
        with errors_explained(given.get("as_json", False)):
            function(**given)

    return run


def _with_ledger(function: Callable[..., Any]) -> Callable[..., None]:
    _, *parameters = inspect.signature(function).parameters.values()
    opening = _OPENINGS[function.__annotations__["ledger"]]

    @wraps(function)
    def run(**given: Any) -> None:
        with opening(given.pop("home"), given["as_json"]) as ledger:
            function(ledger, **given)

    del run.__annotations__["ledger"]
    hints = get_type_hints(run, include_extras=True) | {"home": Home}
    home = inspect.Parameter("home", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
    shown = [each.replace(annotation=hints[each.name]) for each in (*parameters[:-1], home, parameters[-1])]
    setattr(run, "__signature__", inspect.Signature(shown))  # noqa: B010 - mypy does not know the attribute
    run.__annotations__ = hints
    return run
