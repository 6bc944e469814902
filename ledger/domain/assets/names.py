# SPDX-License-Identifier: Apache-2.0
"""Names for the numbers that ``AssetRegistry`` uses (``contracts/Types.sol``). A number is the place of the name in its
list, from 0.
"""

from __future__ import annotations

from typing import Final

ASSET_STATES: Final = ("none", "applied", "confirmed", "rejected", "cancelled", "annulled")
APPLICATION_KINDS: Final = ("none", "first", "change", "correct", "renew", "cancel")
# Applications of these kinds contain a new description of the resource. All other applications contain reasons instead.
DESCRIBING: Final = ("first", "change", "correct")
STAGES: Final = ("none", "submitted", "accepted", "reviewed", "noticed", "returned")
OBJECTION_STATES: Final = ("none", "filed", "admitted", "verified", "upheld", "dismissed", "refused")
RIGHT_KINDS: Final = ("hold", "process", "operate")
RELATIONS: Final = ("derived_from", "split_from", "merged_from")
ASSESSMENTS: Final = ("quality", "valuation")
