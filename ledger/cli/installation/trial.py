"""``pingzheng try``: run the commands for one certificate, from a bank's request to an offline verification."""

from __future__ import annotations

import io
import json
import os
import shlex
import tomllib
from contextlib import ExitStack, redirect_stdout
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.main import get_command

from ledger.cli.shell.output import AsJson, console, print_json

_SCRIPT: Final = "trial.toml"
_NEXT: Final = """
离线核验的凭证包 The bundle that was verified offline: {out}/bundle.json
链上数据 The data that the chain has about the certificate: {out}/facts.json
企业签署的授权 The consent that the firm signed: {out}/authorization.json

接下来 Next:
  pingzheng certificate provenance {certificate} --home {out}/var
  pingzheng demo --subjects 140"""


def try_out(
    out: Annotated[Path, typer.Option(help="New folder for the ledger and the parties' files.")] = Path("try-out"),
    as_json: AsJson = False,
) -> None:
    """用约一分钟签发一张凭证并离线核验，涉及一个提供方、一家企业和一家银行；显示并执行每条命令。Issue one certificate
    with one provider, one firm and one bank, and verify it offline, in about a minute. Every command is shown and run.

    If the folder exists, a number is added to its name: try-out-2, try-out-3, and so on. The chain is always local.

    示例 Example:  pingzheng try --out try-out
    """
    with ExitStack() as stack:
        from ledger.installation.settings import Settings
        from ledger.installation.wiring import open_ledger

        os.environ.pop("PINGZHENG_RPC_URL", None)
        script = tomllib.loads(files("ledger.cli.installation").joinpath(_SCRIPT).read_text("utf-8"))
        folder = _new_folder(out)
        for name, text in script["files"].items():
            (folder / name).write_text(text.lstrip("\n"), "utf-8")
        words = {"OUT": shlex.quote(str(folder))}
        *steps, last = script["steps"]
        for step in steps:
            found = _members(_run(_shown(step, words, as_json), ["--json"], as_json))
            words |= {word: str(found[member]) for word, member in step.get("keep", {}).items()}
            if step is steps[0]:
                # While the ledger is open here, each command uses its running chain instead of starting the chain
                # again.
                stack.enter_context(open_ledger(Settings.at(folder / "var")))
        verified = _run(_shown(last, words, as_json), ["--json"] if as_json else [], as_json)
        if as_json:
            print_json({"folder": str(folder), "certificate_no": words["CERTIFICATE"], "report": json.loads(verified)})
            return
        text = verified + _NEXT.format(out=words["OUT"], certificate=words["CERTIFICATE"])
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _new_folder(wanted: Path) -> Path:
    """Create the folder. If it exists, create a new folder: the same name with the first number that is free."""
    for folder in (wanted.with_name(f"{wanted.name}-{number}") if number > 1 else wanted for number in count(1)):
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("count() never ends")


def _shown(step: dict[str, Any], words: dict[str, str], as_json: bool) -> list[str]:
    """Print the purpose of a step and its command. Return the words of the command."""
    line = step["run"].format_map(words)
    if not as_json:
        console.print(f"\n{step['zh']} {step['en']}", style="bold", highlight=False, markup=False, soft_wrap=True)
        console.print(f"$ pingzheng {line}", highlight=False, markup=False, soft_wrap=True)
    return shlex.split(line)


def _run(arguments: list[str], options: list[str], as_json: bool) -> str:
    """Run a command in this process and return its standard output. If the command fails, exit with its exit code."""
    from ledger.cli.main import app

    printed = io.StringIO()
    with redirect_stdout(printed):
        code = get_command(app).main([*arguments, *options], prog_name="pingzheng", standalone_mode=False)
    if code:
        _print_failure(printed.getvalue(), as_json)
        raise typer.Exit(int(code))
    return printed.getvalue()


def _print_failure(answer: str, as_json: bool) -> None:
    """Print an error that a command returned as JSON. The error is printed as text for people, or as JSON if
    ``as_json`` is set.
    """
    if as_json or not answer.startswith("{"):
        typer.echo(answer, nl=False)
        return
    error = json.loads(answer)
    typer.echo(f"错误 error {error['error']}  {error['message']}", err=True)
    for name, member in (("位置 where", "where"), ("下一步 next", "hint")):
        if error[member]:
            typer.echo(f"  {name}: {error[member]}", err=True)


def _members(answer: str) -> dict[str, Any]:
    """Return the JSON object that a command printed; if it printed a list, return the first object."""
    value = json.loads(answer)
    found: dict[str, Any] = value[0] if isinstance(value, list) else value
    return found
