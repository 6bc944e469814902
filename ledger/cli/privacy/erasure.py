"""``pingzheng certificate erase`` and ``pingzheng party erase``: erase personal text, after the user has confirmed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.certificates.options import Number
from ledger.cli.parties.options import PartyRef
from ledger.cli.shell.naming import party_of
from ledger.cli.shell.output import AsJson, confirm, emit, local_time
from ledger.domain.codes import check_certificate_no
from ledger.domain.parties import Role

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.parties.roles import Actor
    from ledger.privacy.erasure import Erased


class Reason(StrEnum):
    """The reasons for which personal text can be erased."""

    SUBJECT_REQUEST = "subject_request"
    RETENTION_OVER = "retention_over"
    COURT = "court"


Why = Annotated[
    Reason,
    typer.Option(
        help=(
            "Why the texts are erased. subject_request: the subject wants it. retention_over, court: also give --by."
        ),
        show_default=False,
    ),
]
By = Annotated[str, typer.Option(help="The issuer or authority that erases; do not give it for subject_request.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
QUESTION = "删除后无法恢复，链上证明保留。继续吗？ This cannot be undone; the proofs on the chain stay. Continue?"


def erase_certificate(
    ledger: Ledger, number: Number, reason: Why, by: By = "platform", yes: Yes = False, as_json: AsJson = False
) -> None:
    """删除个人信息：永久销毁凭证的内容和盐值；凭证状态不变。Permanently destroy the claims and salts of a certificate.
    The certificate's status does not change.

    示例 Example:  pingzheng certificate erase DAC-440802-2026-S51-00000001-K --reason subject_request
    """
    subject = ledger.usage.holdings.get(check_certificate_no(number)).subject
    confirm(QUESTION, yes)
    _emit(ledger, ledger.erasure.certificate(_actor(ledger, subject, reason, by), number, reason), as_json)


def erase_party(
    ledger: Ledger, party: PartyRef, reason: Why, by: By = "platform", yes: Yes = False, as_json: AsJson = False
) -> None:
    """永久销毁个人或企业的名称和证件号，以及与其有关的全部凭证内容。Permanently destroy the name and identifier of a
    person or firm, and all texts about this person or firm.

    示例 Example:  pingzheng party erase 9f3a… --reason subject_request
    """
    subject = party_of(ledger, party)
    confirm(QUESTION, yes)
    _emit(ledger, ledger.erasure.party(_actor(ledger, subject, reason, by), subject, reason), as_json)


def _actor(ledger: Ledger, subject: str, reason: Reason, by: str) -> Actor:
    # The status of the subject is not checked, because subjects that are suspended or closed also have the right to
    # erasure.
    from ledger.parties.roles import Actor

    if reason is Reason.SUBJECT_REQUEST:
        return Actor(subject, frozenset({Role.SUBJECT}))
    return ledger.actor(party_of(ledger, by))


def _emit(ledger: Ledger, erased: Erased, as_json: bool) -> None:
    entry = erased.entry
    shown = {
        "entry": erased.seq,
        "subject": entry["subject"],
        "by": entry["by"],
        "reason": entry["reason"],
        "时间 at": local_time(entry["iat"]),
        "certificates": list(erased.certificates),
        "targets": entry["targets"],
        "scrubbed": ledger.erasure.scrub(erased),
    }
    emit(shown, as_json, "删除 Erasure")
