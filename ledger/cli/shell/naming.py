"""Read the parties, assets, times and durations that people write as arguments of commands."""

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

# How people write a time. The help of options contains this text.
TIMES = "YYYY-MM-DD[THH:MM[:SS]] in Shanghai, or seconds UTC"
# How people write a duration. The help of options contains this text.
DURATIONS = "72h, 3d, 90m, or seconds"
# The longest duration, in seconds: a hundred years. A longer duration is a typing error, and the contracts would refuse
# it.
MAX_DURATION = 100 * 366 * 86_400
PARTY_ID = re.compile(r"[0-9a-f]{64}")
_ID_LIKE = re.compile(r"[0-9a-fA-F]{4,}(…|\.\.\.)?")
_USCC_LIKE = re.compile(r"[0-9A-Za-z]{18}")


def party_of(ledger: Participant, name: str) -> str:
    """Return the id of a party. It may be given as party id, USCC, institution's name, ``authority`` or ``platform``.

    The text ``self`` means the installation's own party. A joined installation accepts only ``self`` and party ids.
    Raises ``NotFound`` ``PARTY_UNKNOWN``; ``Conflict`` ``PARTY_NAME_AMBIGUOUS``; ``InvalidInput`` ``PARTY_FORM`` or
    ``USCC_…`` if the text has none of these forms, and ``ID_NUMBER_ARGUMENT`` if the text is a person's ID number. A
    person must be given as party id.
    """
    from ledger.installation.wiring import Ledger

    if name == "self":
        return ledger.party
    _require_no_id_number(name)
    if PARTY_ID.fullmatch(name):
        return name
    if not isinstance(ledger, Ledger):
        raise party_form("A joined installation knows parties only by their ids.")
    own = {"authority": ledger.installation.authority_party, "platform": ledger.installation.operator}
    if name in own:
        return own[name]
    if _ID_LIKE.fullmatch(name):
        raise party_form("A party id has 64 hex digits; tables shorten party ids.")
    if _USCC_LIKE.fullmatch(name):
        return ledger.parties.register.find(check_uscc(name, "party")).id
    return ledger.parties.directory.named(name).party


def actor_of(ledger: Participant, name: str) -> Actor:
    """Return the named party as an actor; raises the errors of ``party_of``, and ``Forbidden`` ``PARTY_NOT_ACTIVE``."""
    return ledger.actor(party_of(ledger, name))


def party_form(why: str) -> InvalidInput:
    """Return the error for a text that does not name a party; ``why`` is a sentence that says what is wrong."""
    return InvalidInput(
        "PARTY_FORM",
        f"The text does not name a party. {why}",
        where="party",
        hint="Give the party's id, its USCC, or the full name of an institution: `pingzheng party show`.",
    )


def _require_no_id_number(name: str) -> None:
    """Raise ``InvalidInput`` ``ID_NUMBER_ARGUMENT`` if the text is a person's ID number.

    Other users of the machine can see arguments, and shells store them. A USCC is public, so it is allowed.
    """
    if _keeps(check_resident_id, name) and not _keeps(check_uscc, name):
        raise InvalidInput(
            "ID_NUMBER_ARGUMENT",
            "An ID number must not be an argument: name a person by the party id.",
            where="party",
            hint="Delete this line from the shell's history; `pingzheng party list` shows the party ids.",
        )


def _keeps(check: Callable[[str], str], text: str) -> bool:
    try:
        check(text)
    except InvalidInput:
        return False
    return True


def asset_of(ledger: Participant, name: str) -> str:
    """Return the id of an asset. If a resource code is given, return the asset of the resource's newest registration.

    Raises ``NotFound`` ``ASSET_UNKNOWN``.
    """
    if PARTY_ID.fullmatch(name):
        return name
    from ledger.registration.lookups import newest_registration

    return newest_registration(ledger.database, name)


def acting_on(ledger: Ledger, party: str, asset: str) -> tuple[Actor, str]:
    """Return the acting party and the id of the asset; raises the errors of ``asset_of`` and ``actor_of``."""
    identifier = asset_of(ledger, asset)
    return actor_of(ledger, party), identifier


def seconds_of(text: str) -> int:
    """Convert a time that a person wrote to seconds UTC. A number is already in seconds. Raises ``InvalidInput``
    ``TIME_FORM``.
    """
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
            "The text is not a time since 1970.",
            where="at",
            hint="Write the time as YYYY-MM-DD, YYYY-MM-DDTHH:MM:SS, or in seconds UTC.",
        )
    return seconds


def duration_of(text: str) -> int:
    """Convert a duration that a person wrote, such as ``72h``, to seconds. Raises ``InvalidInput``
    ``DURATION_FORM``.
    """
    found = re.fullmatch(r"(\d{1,9})([smhd]?)", text, re.ASCII)
    seconds = 0 if found is None else int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]]
    if found is None or seconds > MAX_DURATION:
        raise InvalidInput(
            "DURATION_FORM", "The duration must be written as 72h, 3d, 90m, or in seconds.", where=text[:32]
        )
    return seconds
