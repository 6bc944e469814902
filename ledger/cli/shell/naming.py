"""Parties, assets, days and times as people name them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ledger.domain.codes import check_resident_id, check_uscc
from ledger.domain.days import LAST_SECOND, SHANGHAI
from ledger.errors import InvalidInput

if TYPE_CHECKING:
    from ledger.installation.participant import Participant
    from ledger.installation.wiring import Ledger
    from ledger.parties.roles import Actor

# How a time is written: for the help of options.
TIMES = "YYYY-MM-DD[THH:MM[:SS]] in Shanghai, or seconds UTC"
# How a length of time is written.
DURATIONS = "72h, 3d, 90m, or seconds"
# A hundred years: more is a slip, and the contracts know no such time.
MAX_DURATION = 100 * 366 * 86_400
PARTY_ID = re.compile(r"[0-9a-f]{64}")
_ID_LIKE = re.compile(r"[0-9a-fA-F]{4,}(…|\.\.\.)?")
_USCC_LIKE = re.compile(r"[0-9A-Za-z]{18}")


def party_of(ledger: Participant, name: str) -> str:
    """The party id for an id, a USCC, the name of an institution, ``authority`` or ``platform``.

    ``self`` is the party whose installation this is; a joined one knows no other by a name. Raises ``NotFound``
    ``PARTY_UNKNOWN``; ``Conflict`` ``PARTY_NAME_AMBIGUOUS``; ``InvalidInput`` ``PARTY_FORM`` or ``USCC_…`` for what can
    be none of these, ``ID_NUMBER_ARGUMENT`` for a person's ID number: a person goes by its party id.
    """
    from ledger.installation.wiring import Ledger

    if name == "self":
        return ledger.party
    _require_no_id_number(name)
    if PARTY_ID.fullmatch(name):
        return name
    if not isinstance(ledger, Ledger):
        raise party_form("A joined installation knows parties by their ids alone.")
    own = {"authority": ledger.installation.authority_party, "platform": ledger.installation.operator}
    if name in own:
        return own[name]
    if _ID_LIKE.fullmatch(name):
        raise party_form("A party id has 64 hex digits; tables shorten it.")
    if _USCC_LIKE.fullmatch(name):
        return ledger.parties.register.find(check_uscc(name, "party")).id
    return ledger.parties.directory.named(name).party


def actor_of(ledger: Participant, name: str) -> Actor:
    """The party of that name as one that acts; raises as ``party_of``, and ``Forbidden`` ``PARTY_NOT_ACTIVE``."""
    return ledger.actor(party_of(ledger, name))


def party_form(why: str) -> InvalidInput:
    """The error of a text that names no party here."""
    return InvalidInput(
        "PARTY_FORM",
        f"This does not name a party. {why}",
        where="party",
        hint="Give its party id, its USCC, or its name if it is an institution: `pingzheng party show`.",
    )


def _require_no_id_number(name: str) -> None:
    """Arguments are seen by other users of the machine and kept by shells; a USCC is public, an ID number is not."""
    if _keeps(check_resident_id, name) and not _keeps(check_uscc, name):
        raise InvalidInput(
            "ID_NUMBER_ARGUMENT",
            "A person is named by its party id, never by an ID number.",
            where="party",
            hint="Remove the line from the shell's history; `pingzheng party list` shows the ids.",
        )


def _keeps(check: Callable[[str], str], text: str) -> bool:
    try:
        check(text)
    except InvalidInput:
        return False
    return True


def asset_of(ledger: Participant, name: str) -> str:
    """The asset id for an id or a resource code (its newest registration); raises ``NotFound`` ``ASSET_UNKNOWN``."""
    if PARTY_ID.fullmatch(name):
        return name
    from ledger.registration.lookups import newest_registration

    return newest_registration(ledger.database, name)


def acting_on(ledger: Ledger, party: str, asset: str) -> tuple[Actor, str]:
    """Who acts, and the id of the asset; raises as ``asset_of`` and ``actor_of``."""
    identifier = asset_of(ledger, asset)
    return actor_of(ledger, party), identifier


def seconds_of(text: str) -> int:
    """A time as people write it; a bare number is seconds UTC. Raises ``InvalidInput`` ``TIME_FORM``."""
    try:
        if text.isascii() and text.isdigit():
            seconds = int(text)
        else:
            written = datetime.fromisoformat(text)
            seconds = int((written if written.tzinfo else written.replace(tzinfo=SHANGHAI)).timestamp())
    except (ValueError, OverflowError):
        seconds = -1
    if not 0 <= seconds <= LAST_SECOND:
        raise InvalidInput(
            "TIME_FORM",
            "This is no time since 1970.",
            where="at",
            hint="YYYY-MM-DD, YYYY-MM-DDTHH:MM:SS, or seconds UTC.",
        )
    return seconds


def duration_of(text: str) -> int:
    """A length of time in seconds; raises ``InvalidInput`` ``DURATION_FORM``."""
    found = re.fullmatch(r"(\d{1,9})([smhd]?)", text, re.ASCII)
    seconds = 0 if found is None else int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]]
    if found is None or seconds > MAX_DURATION:
        raise InvalidInput("DURATION_FORM", "A length of time reads 72h, 3d, 90m, or seconds.", where=text[:32])
    return seconds
