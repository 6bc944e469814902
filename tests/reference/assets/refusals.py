"""Why the rules of ``tests.reference.assets.next_moves`` refuse a move: the AssetRegistry's errors by our codes.

A refusal is the same whether it is foreseen here or comes from the chain: ``ledger/chain/contracts/reverts.json``
says the same of the contract's errors, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.errors import Conflict, Forbidden, InvalidInput, PingzhengError

# code: class, message, hint
REFUSALS: Final[Mapping[str, tuple[type[PingzhengError], str, str | None]]] = {
    "PARTY_NOT_ACTIVE": (Forbidden, "The party is suspended, sanctioned or closed.", "Ask the authority."),
    "PARTY_LACKS_ROLE": (
        Forbidden,
        "The party has none of the roles that this needs.",
        "Ask the authority for the role.",
    ),
    "ASSET_WRONG_STATE": (Conflict, "The asset is not in the state that this needs.", "Read the asset's state first."),
    "ASSET_ALREADY_REGISTERED": (Conflict, "An asset with this id is registered already.", None),
    "ASSET_DUPLICATE_FINGERPRINT": (
        Conflict,
        "The same content is registered already as another asset.",
        "Ask its holder for a licence, or object to that registration.",
    ),
    "ASSET_ZERO": (InvalidInput, "An id, a digest or a fingerprint is zero.", None),
    "ASSET_SELF_REVIEW": (
        Forbidden,
        "Nobody reviews, decides or assesses in a matter of its own.",
        "Another party with the role has to do it.",
    ),
    "ASSET_NOT_HOLDER": (Forbidden, "Only the asset's holder may do this.", None),
    "ASSET_NOT_OFFEREE": (Forbidden, "Only the party to which the transfer is offered may do this.", None),
    "ASSET_NO_OFFER": (Conflict, "No transfer of this asset is on offer.", None),
    "ASSET_OFFER_OPEN": (Conflict, "A transfer is on offer already.", "Withdraw it, or wait for its deadline."),
    "ASSET_OFFER_LAPSED": (Conflict, "The offer's deadline is over.", "Ask the holder for a new offer."),
    "ASSET_TIME_PAST": (
        InvalidInput,
        "The deadline or the end of validity lies too early.",
        "A renewal ends later than before; changes and corrections keep the validity.",
    ),
    "ASSET_BAD_RECIPIENT": (
        InvalidInput,
        "The other party must be an active one, and not the acting party itself.",
        "Check that it is registered and not suspended.",
    ),
    "ASSET_FROZEN": (Conflict, "The asset is frozen.", "The authority or the supervisor can lift the freeze."),
    "ASSET_NOT_FROZEN": (Conflict, "The asset is not frozen.", None),
    "ASSET_EXPIRED": (
        Conflict,
        "The registration's validity is over.",
        "It can be cancelled; rights are registered anew.",
    ),
    "ASSET_WRONG_STAGE": (
        Conflict,
        "The application is not at the stage that this needs.",
        "Read the asset: submitted, accepted, reviewed, noticed, confirmed, in this order.",
    ),
    "ASSET_APPLICATION_OPEN": (
        Conflict,
        "An application is open.",
        "It has to be decided first; a returned one is filed again as what it was.",
    ),
    "ASSET_OBJECTED": (Conflict, "An objection is open.", "The registrar decides it first."),
    "ASSET_PLEDGED": (
        Conflict,
        "A lien stands in the way.",
        "Its creditor consents to the transfer, or releases the lien.",
    ),
    "ASSET_TOO_MANY": (Conflict, "The asset has as many records of this sort as it can have.", None),
    "ASSET_GRADE": (
        Forbidden,
        "The grade does not allow this: core data is never registered, and no application lowers a grade.",
        "Grade the resource again, or leave it out.",
    ),
    "ASSET_NOT_CLEARED": (
        Conflict,
        "Important data needs a recorded security review first.",
        "The authority or the chief data officer records it.",
    ),
    "ASSET_NOTICE_SHORT": (
        InvalidInput,
        "The notice ends earlier than it may.",
        "Give it at least the working days of the ruleset.",
    ),
    "ASSET_NOTICE_RUNS": (Conflict, "The public notice still runs.", "Confirm it after the notice."),
    "ASSET_NOTICE_OVER": (
        Conflict,
        "The notice is over, or does not run.",
        "Object to the registration once it is confirmed.",
    ),
    "ASSET_WRONG_OBJECTION": (
        Conflict,
        "There is no such objection, or it is not where this decision needs it.",
        "filed, admitted, verified, then upheld or dismissed; or refused when filed.",
    ),
    "ASSET_RIGHT_PERIOD": (
        InvalidInput,
        "The period is empty, begins in the past, or exceeds that of the registration or of the right above.",
        "Give a period within it.",
    ),
    "ASSET_RIGHT_OVERLAPS": (
        Conflict,
        "An exclusive right of this kind overlaps in time.",
        "Take a period outside it, or ask its holder for a licence.",
    ),
    "ASSET_RIGHT_FORBIDS": (
        Forbidden,
        "There is no such right in force, it is not the caller's, or it does not allow this.",
        "Read the asset's rights.",
    ),
    "ASSET_WRONG_LIEN": (
        Forbidden,
        "No such lien stands, or it is another creditor's.",
        "Only the creditor consents and releases.",
    ),
    "ASSET_NOT_DECIDED": (
        Forbidden,
        "Only a proposal that two officers decided does this.",
        "Propose it, let another officer confirm it, and carry it out after the delay.",
    ),
    "ASSET_HOLDER_SPEAKS": (
        Conflict,
        "The holder still has a key that speaks for it.",
        "The holder offers the asset itself.",
    ),
    "ASSET_NOT_ACCREDITED": (
        Forbidden,
        "The assessor has no accreditation for such reports now.",
        "Ask the authority for accreditation: quality or appraise.",
    ),
}


def refused(code: str, **details: Any) -> PingzhengError:
    """The error to raise; ``details`` are the contract error's arguments by name, less the asset's id."""
    kind, message, hint = REFUSALS[code]
    return kind(code, message, hint=hint, **details)
