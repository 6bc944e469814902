"""``pingzheng``: the command line over one ledger.

What loads chain or database takes seconds, so a group's module is imported when one of its commands is asked for; the
modules of single commands are imported here, and import such things in their functions.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

from ledger import __version__
from ledger.cli.certificates import verify
from ledger.cli.installation import backup, demo, doctor, init, inspect, join, serve, skip
from ledger.cli.parties import enrol, login
from ledger.cli.shell import statements
from ledger.cli.shell.opening import configure_logging
from ledger.cli.shell.terminal import fold_help

EPILOG = (
    "示例 Examples:  pingzheng demo  ·  pingzheng --help  ·  pingzheng serve  ·  "
    "pingzheng verify bundle.json --facts facts.json --request request.json"
)
# By name: the module in this package, the name of the group there, and what it is about.
GROUPS: Final = {
    "key": ("parties.key_files", "app", "密钥文件 Key files that parties keep themselves: new, prove, office."),
    "keys": (
        "parties.keys",
        "app",
        "密钥与提案 Keys and proposals: pending, show, confirm, carry out, cancel, veto, report, watch.",
    ),
    "pause": ("parties.pause", "app", "暂停 Pause: start, end, show."),
    "sessions": ("parties.login", "sessions", "会话 Sessions of your party at a service: list, end."),
    "api-key": ("parties.api_keys", "app", "程序密钥 Keys for machines: new, list, revoke."),
    "party": ("parties.party_keys", "party", "参与方 Parties: onboard, enrol, accredit, list, keys, roles, status."),
    "scenario": ("rulebooks.scenarios", "app", "场景 Scenarios: list, show, check a file."),
    "ruleset": ("rulebooks.rulesets", "app", "规则集 Rulesets: time limits and choices of a registration authority."),
    "request": ("usage.requests", "app", "用数请求 Requests: draft, submit, list, show, decline, cancel."),
    "consent": (
        "usage.consents",
        "app",
        "授权 Consents: draft, submit, give, list, notice, withdraw, also without the service.",
    ),
    "provision": (
        "usage.provisions",
        "app",
        "提供 Provisions: tasks, answers made where the rows are, receipts, the clerk's confirmation.",
    ),
    "certificate": (
        "certificates.certificates",
        "app",
        "凭证 Certificates: issue, list, show, bundle, present, correct, revoke, suspend, hold, erase, provenance.",
    ),
    "holdings": ("certificates.holdings", "app", "归集 Holdings: summary and export by subject, department, scenario."),
    "wallet": ("certificates.wallet", "app", "钱包 Wallet: export, add, list, show, present, passphrase."),
    "registration": (
        "registration.registrations",
        "app",
        "确权登记 Registration: submit, accept, review, notice, confirm; change, renew, cancel; object, decide.",
    ),
    "asset": ("provenance.provenance", "app", "数据资产 Assets: import, confirm, offer, accept, freeze, provenance."),
    "right": ("registration.rights", "app", "三权 Rights to hold, process and operate: grant, license, pass on, end."),
    "lien": ("registration.rights", "liens", "质押 Liens: pledge, consent, release."),
    "assess": ("registration.rights", "assess", "评估 Assessments by accredited third parties."),
    "catalogue": (
        "catalogue.catalogue",
        "app",
        "数据目录 Catalogue: import, submit, sign, publish, demands, open data.",
    ),
    "sealing": ("privacy.sealing", "app", "密封 Sealed records: which keys wrap them, rotation."),
    "restore": (
        "installation.restore",
        "app",
        "恢复 Restore a ledger: `restore BACKUP --keys KEYS`; confirm-erasures.",
    ),
    "log": ("installation.inspect", "log", "日志 The log: head, batches, proofs, anchoring."),
    "index": ("installation.inspect", "index", "索引 The index: rebuild it, check it against the chain."),
}

# Commands that the room of a later capability adds to a group: their names there, module and function.
ADDED: Final = {
    "party": ("erase", "privacy.erasure", "erase_party"),
    "certificate": ("erase", "privacy.erasure", "erase_certificate"),
}


@cache
def loaded(name: str) -> Any:
    """The group of that name with all its commands, whose modules are imported now."""
    module, member, about = GROUPS[name]
    typed = getattr(import_module(f"ledger.cli.{module}"), member)
    if name in ADDED:
        command, module, member = ADDED[name]
        typed.command(command)(getattr(import_module(f"ledger.cli.{module}"), member))
    group = get_group(typed)
    group.help = about
    return group


class Commands(TyperGroup):
    """The groups stand for themselves in ``--help``; the one that is called is loaded."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, as Click asks for it."""
        if args[0] in GROUPS:
            self.add_command(loaded(args[0]), args[0])
        return super().resolve_command(ctx, args)


fold_help()
app = typer.Typer(
    cls=Commands,
    help="凭证 Pingzheng: issue, transfer and verify data asset certificates.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command("init")(init.init)
app.command()(serve.serve)
app.command("join")(join.join_command)
app.command()(login.login)
app.command()(login.logout)
app.command()(enrol.enrol)
app.command()(inspect.status)
app.command()(doctor.doctor)
app.command()(skip.skip)
app.command()(statements.sign)
app.command("backup")(backup.backup_command)
app.command("verify")(verify.verify_command)
app.command("facts")(verify.facts_command)
for group_name, (*_, about) in GROUPS.items():
    app.add_typer(typer.Typer(help=about), name=group_name)


@app.callback(invoke_without_command=True)
def main(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """凭证 Pingzheng: issue, transfer and verify data asset certificates."""
    configure_logging()
    if version:
        typer.echo(f"pingzheng {__version__}")
        raise typer.Exit
