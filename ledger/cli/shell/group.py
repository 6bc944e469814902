"""A group of commands that opens the ledger for its commands and explains their errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, Final, TypeVar, get_type_hints

import typer

from ledger.cli.shell.opening import opened, participating
from ledger.cli.shell.output import Home, errors_explained

Command = TypeVar("Command", bound=Callable[..., Any])
# How the installation is opened, by the type of a command's first parameter: ``Ledger`` allows only the operator's
# ledger, ``Participant`` also a joined installation.
_OPENINGS: Final = {"Ledger": opened, "Participant": participating}
_BY_NAME: Final = Parameter.KEYWORD_ONLY


class Group(typer.Typer):
    """Explains the errors of each command, and opens the ledger for each command whose first parameter is ``ledger``.

    In place of ``ledger`` such a command has the option ``--home``, before ``--json``. In place of a parameter whose
    type is a dataclass, a command has one option for each field.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"no_args_is_help": True} | options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[Command], Command]:
        """Register a command, as ``typer.Typer`` does."""
        register = super().command(name, **options)

        def add(function: Command) -> Command:
            register(_with_options(function))
            return function

        return add


def _with_options(function: Callable[..., Any]) -> Callable[..., None]:
    """Return the function that the command line calls: its parameters are the options of the command."""
    opening = _OPENINGS.get(function.__annotations__.get("ledger", ""))

    @wraps(function)
    def run(**given: Any) -> None:
        for name, kind in grouped.items():
            given[name] = kind(**{each.name: given.pop(each.name) for each in fields(kind)})
        if opening is None:
            with errors_explained(given.get("as_json", False)):
                function(**given)
        else:
            with opening(given.pop("home"), given["as_json"]) as ledger:
                function(ledger, **given)

    run.__annotations__ = {name: kind for name, kind in function.__annotations__.items() if name != "ledger"}
    hints = get_type_hints(run, include_extras=True)
    grouped: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    options = list[Parameter]()
    for each in signature(function).parameters.values():
        if each.name in grouped:
            options += _options_of(grouped[each.name])
        elif each.name != "ledger":
            options.append(Parameter(each.name, _BY_NAME, default=each.default, annotation=hints[each.name]))
    if opening is not None:
        options.insert(-1, Parameter("home", _BY_NAME, default=None, annotation=Home))
    setattr(run, "__signature__", Signature(options))  # noqa: B010 - mypy does not know the attribute
    return run


def _options_of(kind: Any) -> list[Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [Parameter(each.name, _BY_NAME, default=each.default, annotation=hints[each.name]) for each in fields(kind)]
