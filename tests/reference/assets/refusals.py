"""The errors that the reference raises when it refuses an act: the errors of AssetRegistry under our codes.

The texts are those of ``ledger/chain/contracts/reverts.json``, and a test compares the two files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.errors import Conflict, Forbidden, InvalidInput, PingzhengError

# The key is the error code; the value is the exception class, the message and the hint.
REFUSALS: Final[Mapping[str, tuple[type[PingzhengError], str, str | None]]] = {
    "PARTY_NOT_ACTIVE": (Forbidden, "The party is suspended, sanctioned or closed.", "Ask the authority."),
    "PARTY_LACKS_ROLE": (
        Forbidden,
        "The party has none of the roles that this act needs.",
        "Ask the authority for the role.",
    ),
    "ASSET_WRONG_STATE": (Conflict, "The state of the asset does not allow this act.", "Read the asset's state."),
    "ASSET_ALREADY_REGISTERED": (Conflict, "An asset with this id is already registered.", None),
    "ASSET_DUPLICATE_FINGERPRINT": (
        Conflict,
        "The same content is already registered as another asset.",
        "Ask the holder of that asset for a licence, or object to its registration.",
    ),
    "ASSET_ZERO": (InvalidInput, "An id, a digest or a fingerprint is zero.", None),
    "ASSET_SELF_REVIEW": (
        Forbidden,
        "A party cannot review or assess its own asset, and cannot decide an objection that it filed.",
        "Ask another party that has the required role.",
    ),
    "ASSET_NOT_HOLDER": (Forbidden, "Only the asset's holder may do this.", None),
    "ASSET_NOT_OFFEREE": (Forbidden, "Only the party that the offer names may do this.", None),
    "ASSET_NO_OFFER": (Conflict, "The asset is not offered for transfer.", None),
    "ASSET_OFFER_OPEN": (
        Conflict,
        "The asset is already offered for transfer.",
        "Withdraw the offer, or wait for its deadline.",
    ),
    "ASSET_OFFER_LAPSED": (Conflict, "The deadline of the offer has passed.", "Ask the holder for a new offer."),
    "ASSET_TIME_PAST": (
        InvalidInput,
        "The deadline or the end of validity is too early.",
        "Give a later time. A renewal must end later than before; a change or correction gives no end.",
    ),
    "ASSET_BAD_RECIPIENT": (
        InvalidInput,
        "The recipient must be an active party other than the acting party.",
        "Check that the recipient is registered and not suspended.",
    ),
    "ASSET_FROZEN": (Conflict, "The asset is frozen.", "Ask the authority or the supervisor to lift the freeze."),
    "ASSET_NOT_FROZEN": (Conflict, "The asset is not frozen.", None),
    "ASSET_EXPIRED": (
        Conflict,
        "The registration has expired.",
        "Cancel the registration. To use the rights again, register the asset again.",
    ),
    "ASSET_WRONG_STAGE": (
        Conflict,
        "The stage of the application does not allow this act.",
        "Follow the order of the stages: submitted, accepted, reviewed, noticed, confirmed.",
    ),
    "ASSET_APPLICATION_OPEN": (
        Conflict,
        "The asset has an application that is not decided yet.",
        "Wait until a registrar has decided the application. If it was returned, file it again as the same kind.",
    ),
    "ASSET_OBJECTED": (
        Conflict,
        "The asset has an objection that is not decided yet.",
        "Wait until a registrar has decided the objection.",
    ),
    "ASSET_PLEDGED": (
        Conflict,
        "A lien on the asset prevents this act.",
        "Ask the creditor to consent to the transfer or to release the lien.",
    ),
    "ASSET_TOO_MANY": (Conflict, "The asset has reached the limit for records of this kind.", None),
    "ASSET_GRADE": (
        Forbidden,
        "The grade does not allow this: core data is never registered, and an application cannot lower a grade.",
        "Check the grade of the resource, or leave the resource out of the application.",
    ),
    "ASSET_NOT_CLEARED": (
        Conflict,
        "Important data needs a recorded security review first.",
        "Ask the authority or the chief data officer to record the review.",
    ),
    "ASSET_NOTICE_SHORT": (
        InvalidInput,
        "The public notice is too short.",
        "Let the notice last at least as many working days as the ruleset requires.",
    ),
    "ASSET_NOTICE_RUNS": (Conflict, "The public notice has not ended.", "Confirm the application after the notice."),
    "ASSET_NOTICE_OVER": (
        Conflict,
        "The application is not under public notice.",
        "Wait until the application is confirmed, then object to the registration.",
    ),
    "ASSET_WRONG_OBJECTION": (
        Conflict,
        "There is no such objection, or the objection's state does not allow this decision.",
        "Follow the order: filed, admitted, verified, then upheld or dismissed. Only a filed objection can be refused.",
    ),
    "ASSET_RIGHT_PERIOD": (
        InvalidInput,
        "The period is empty, begins in the past, or exceeds the period of the registration or of the parent right.",
        "Give a period within those limits.",
    ),
    "ASSET_RIGHT_OVERLAPS": (
        Conflict,
        "The period overlaps with an exclusive right of the same kind.",
        "Give another period, or ask the grantee of that right for a licence.",
    ),
    "ASSET_RIGHT_FORBIDS": (
        Forbidden,
        "The right is not in force, does not belong to the caller, or does not allow this act.",
        "Read the asset's rights.",
    ),
    "ASSET_WRONG_LIEN": (
        Forbidden,
        "There is no such lien, or it belongs to another creditor.",
        "Only the creditor can consent to a transfer or release the lien.",
    ),
    "ASSET_NOT_DECIDED": (
        Forbidden,
        "Two institutions must decide this act by a proposal.",
        "Propose the act, let another institution confirm it, and carry it out after the waiting period.",
    ),
    "ASSET_HOLDER_SPEAKS": (
        Conflict,
        "The holder still has a key that may act for it.",
        "The holder must offer the asset itself.",
    ),
    "ASSET_NOT_ACCREDITED": (
        Forbidden,
        "The assessor is not accredited for this kind of report.",
        "Ask the authority for the accreditation `quality` or `appraise`.",
    ),
}


def refused(code: str, **details: Any) -> PingzhengError:
    """Return the error to raise. ``details`` are the arguments of the contract error by name, without the id."""
    kind, message, hint = REFUSALS[code]
    return kind(code, message, hint=hint, **details)
