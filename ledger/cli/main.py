"""``pingzheng``: the command line of one ledger.

Importing the chain and database libraries takes seconds. Therefore the module of a group is imported only when one of
its commands is called. The modules of single commands are imported here; their functions import these libraries only
when they run.
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
from ledger.cli.installation import backup, demo, doctor, init, inspect, join, serve, skip, trial
from ledger.cli.parties import enrol, login
from ledger.cli.shell import statements
from ledger.cli.shell.group import Group
from ledger.cli.shell.opening import configure_logging
from ledger.cli.shell.terminal import fold_help

EPILOG = (
    "示例 Examples:  pingzheng try  ·  pingzheng certificate --help  ·  "
    "pingzheng verify bundle.json --facts facts.json --request request.json"
)
# The commands and groups that ``--help`` lists first, in this order. All other commands and groups are listed below
# them, in the panel MORE.
FIRST: Final = (
    "try",
    "demo",
    "init",
    "serve",
    "status",
    "party",
    "request",
    "consent",
    "sign",
    "certificate",
    "verify",
)
MORE: Final = "更多 More"
# Maps the name of each group to the group's module in this package, its variable in that module, and its help text.
GROUPS: Final = {
    "key": ("parties.key_files", "app", "密钥文件 Key files that parties keep themselves: new, prove, office."),
    "keys": (
        "parties.keys",
        "app",
        "密钥与提案 Keys and proposals: pending, confirm, carry out, cancel, veto, report.",
    ),
    "pause": ("parties.pause", "app", "暂停 Pause the ledger: start, end or show a pause."),
    "sessions": ("parties.login", "sessions", "会话 Sessions of your party at a service: list, end."),
    "api-key": ("parties.api_keys", "app", "程序密钥 API keys for programs: new, list, revoke."),
    "party": ("parties.party_keys", "party", "参与方 Parties: onboard, enrol, accredit, list, keys, roles, status."),
    "scenario": ("rulebooks.scenarios", "app", "场景 Scenarios: list, show, check a file."),
    "ruleset": ("rulebooks.rulesets", "app", "规则集 Rulesets: time limits and choices of a registration authority."),
    "request": ("usage.requests", "app", "用数请求 Requests: draft, submit, list, show, decline, cancel."),
    "consent": (
        "usage.consents",
        "app",
        "授权 Consents (authorizations): draft, submit, give, list, notice, withdraw.",
    ),
    "provision": ("usage.provisions", "app", "提供 Provisions: tasks, answers computed at the provider, receipts."),
    "certificate": ("certificates.certificates", "app", "凭证 Certificates: issue, list, show, present, revoke, hold."),
    "holdings": ("certificates.holdings", "app", "归集 Holdings: summary and export by subject, department, scenario."),
    "wallet": ("certificates.wallet", "app", "钱包 Wallet: export, add, list, show, present, passphrase."),
    "registration": (
        "registration.registrations",
        "app",
        "确权登记 Registration: submit, review, notice, confirm, object.",
    ),
    "asset": ("provenance.provenance", "app", "数据资产 Assets: import, confirm, offer, accept, freeze, provenance."),
    "right": (
        "registration.rights",
        "app",
        "三权 Rights to hold, process and operate: grant, sublicense, transfer, end.",
    ),
    "lien": ("registration.rights", "liens", "质押 Liens: pledge, consent, release."),
    "assess": ("registration.rights", "assess", "评估 Assessments by accredited third parties."),
    "catalogue": (
        "catalogue.catalogue",
        "app",
        "数据目录 Catalogue: import, submit, sign, publish, demands, open data.",
    ),
    "sealing": ("privacy.sealing", "app", "密封 Sealed records: their wrapping keys, and key rotation."),
    "restore": (
        "installation.restore",
        "app",
        "恢复 Restore a ledger: `restore BACKUP --keys KEYS`; confirm-erasures.",
    ),
    "log": ("installation.inspect", "log", "日志 The log: head, batches, proofs, anchoring."),
    "index": ("installation.inspect", "index", "索引 The index: rebuild it, check it against the chain."),
}

# Commands whose code is in another module than their group: the command's name, its module and its function.
ADDED: Final = {
    "party": ("erase", "privacy.erasure", "erase_party"),
    "certificate": ("erase", "privacy.erasure", "erase_certificate"),
}


@cache
def loaded(name: str) -> Any:
    """Import the modules of a group of commands, and return the group with all its commands."""
    module, member, about = GROUPS[name]
    typed = getattr(import_module(f"ledger.cli.{module}"), member)
    if name in ADDED:
        command, module, member = ADDED[name]
        typed.command(command)(getattr(import_module(f"ledger.cli.{module}"), member))
    group = get_group(typed)
    group.help = about
    return group


class Commands(TyperGroup):
    """Lists all groups in ``--help`` without importing them, and imports a group when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of commands and groups in the order of ``--help``: first the names in FIRST, then all other
        names.
        """
        return [*FIRST, *(name for name in super().list_commands(ctx) if name not in FIRST)]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the called group, then resolve the command as Click does."""
        if args[0] in GROUPS:
            self.add_command(loaded(args[0]), args[0])
        return super().resolve_command(ctx, args)


fold_help()
app = Group(
    cls=Commands,
    help="凭证 Pingzheng: issue, transfer and verify data asset certificates.",
    epilog=EPILOG,
    pretty_exceptions_enable=False,
)
SINGLE: Final[dict[str, Any]] = {
    "try": trial.try_out,
    "demo": demo.demo,
    "init": init.init,
    "serve": serve.serve,
    "join": join.join_command,
    "login": login.login,
    "logout": login.logout,
    "enrol": enrol.enrol,
    "status": inspect.status,
    "doctor": doctor.doctor,
    "skip": skip.skip,
    "sign": statements.sign,
    "backup": backup.backup_command,
    "verify": verify.verify_command,
    "facts": verify.facts_command,
}
for name, function in SINGLE.items():
    app.command(name, rich_help_panel=None if name in FIRST else MORE)(function)
for name, (*_, about) in GROUPS.items():
    app.add_typer(typer.Typer(help=about), name=name, rich_help_panel=None if name in FIRST else MORE)


@app.callback(invoke_without_command=True)
def main(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """凭证 Pingzheng: issue, transfer and verify data asset certificates."""
    configure_logging()
    if version:
        typer.echo(f"pingzheng {__version__}")
        raise typer.Exit
