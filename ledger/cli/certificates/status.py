"""Commands for a certificate's status. The issuer revokes or suspends its certificate; an authority or a supervisor
places a hold.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.certificates.options import Number
from ledger.cli.shell.naming import actor_of
from ledger.cli.shell.output import AsJson, emit
from ledger.cli.shell.waiting import emit_done
from ledger.domain.codes import check_certificate_no
from ledger.errors import InvalidInput

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger

Reason = Annotated[
    str, typer.Option(help="Reason code: data_error, fraud, court, sanction, investigation, …", show_default=False)
]
Office = Annotated[str, typer.Option(help="The acting authority or supervisor: party id, USCC or `authority`.")]


def supersede(
    ledger: Ledger,
    number: Number,
    successor: Annotated[
        str, typer.Argument(help="The number of the new certificate, which replaces the old one.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """用同一主体的另一张凭证取代原凭证，不可恢复。Replace a certificate permanently by another certificate of the same
    subject.

    示例 Example:  pingzheng certificate supersede DAC-440802-2026-S51-00000001-K DAC-440802-2026-S51-00000002-I
    """
    ledger.usage.status_acts.supersede(
        ledger.actor(ledger.party), check_certificate_no(number), check_certificate_no(successor)
    )
    emit(ledger.verification.status(number), as_json, number)


def revoke(
    ledger: Ledger,
    reason: Reason,
    number: Annotated[
        str, typer.Argument(help="Number of one certificate, DAC-…; or give --file instead.", show_default=False)
    ] = "",
    file: Annotated[
        Path | None,
        typer.Option(
            help="A text file with one certificate number on each line. All of these certificates are revoked.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Revoke all certificates in the file without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """签发方永久撤销自己签发的一张凭证，或文件列出的全部凭证；中断后再次执行即可继续。Permanently revoke one
    certificate, or all certificates that a file lists. Only their issuer can do this. After an interruption, run the
    command again to continue.

    示例 Examples:  pingzheng certificate revoke DAC-440802-2026-S51-00000001-K --reason data_error · pingzheng
    certificate revoke --file numbers.txt --reason data_error --yes
    """
    if (file is None) == (not number):
        raise InvalidInput(
            "NUMBER_OR_FILE",
            "Give either one certificate number or a file with numbers.",
            where="--file",
            hint="Give the number, or --file with one number on each line.",
        )
    if file is not None:
        from ledger.cli.certificates.revoking import revoke_listed

        revoke_listed(ledger, file, reason, yes, as_json)
        return
    ledger.usage.status_acts.revoke(ledger.actor(ledger.party), check_certificate_no(number), reason)
    emit(ledger.verification.status(number), as_json, number)


def suspend(ledger: Ledger, number: Number, reason: Reason, as_json: AsJson = False) -> None:
    """签发方暂停自己签发的凭证，直到恢复。Suspend a certificate until it is resumed. Only the certificate's issuer can
    do this.

    示例 Example:  pingzheng certificate suspend DAC-440802-2026-S51-00000001-K --reason investigation
    """
    ledger.usage.status_acts.suspend(ledger.actor(ledger.party), check_certificate_no(number), reason)
    emit(ledger.verification.status(number), as_json, number)


def resume(ledger: Ledger, number: Number, reason: Reason = "lifted", as_json: AsJson = False) -> None:
    """签发方恢复自己暂停的凭证。End the suspension of a certificate. Only the issuer that suspended the certificate can
    do this.

    示例 Example:  pingzheng certificate resume DAC-440802-2026-S51-00000001-K
    """
    ledger.usage.status_acts.resume(ledger.actor(ledger.party), check_certificate_no(number), reason)
    emit(ledger.verification.status(number), as_json, number)


def hold(ledger: Ledger, number: Number, reason: Reason, by: Office = "authority", as_json: AsJson = False) -> None:
    """主管部门或监管方冻结用数凭证及其请求，直到解除。Place a hold on a usage certificate and its request, until the
    hold is lifted. Only an authority or a supervisor can do this.

    示例 Example:  pingzheng certificate hold DAC-440802-2026-S51-00000001-K --reason court
    """
    ledger.usage.status_acts.hold(actor_of(ledger, by), check_certificate_no(number), reason)
    emit(ledger.verification.status(number), as_json, number)


def lift(
    ledger: Ledger, number: Number, reason: Reason = "lifted", by: Office = "authority", as_json: AsJson = False
) -> None:
    """解除本类机构（主管部门或监管方）对凭证的冻结，须两个同类机构同意；另一类机构的冻结不受影响。Lift a hold. Two
    parties with the role that placed the hold (authority or supervisor) must agree. A hold that the other role placed
    stays.

    示例 Example:  pingzheng certificate lift DAC-440802-2026-S51-00000001-K --by authority
    """
    row = ledger.usage.status_acts.lift(actor_of(ledger, by), check_certificate_no(number), reason)
    emit_done(row, lambda: ledger.verification.status(number), as_json, number)
