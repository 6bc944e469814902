# SPDX-License-Identifier: Apache-2.0
"""A ruleset contains the deadlines and choices of a registration authority in one file.

Nobody has compared the numbers in the packaged files with an official text. The member ``standing`` says so, and must
be shown wherever a ruleset is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.domain.definitions.reader import Bilingual, DefinitionReader

# `configuration`: nobody has compared the numbers with official rules. `confirmed`: the authority that wrote the file
# has compared every number.
RULESET_STANDINGS: Final = ("configuration", "confirmed")
APPLICATION_KINDS: Final = ("first", "change", "correct", "renew", "cancel")
# The contract always requires a public notice for applications of these kinds, so every ruleset must require the
# notice.
ALWAYS_NOTICED: Final = ("first", "change")
SECOND_PLEDGES: Final = ("rank", "refuse")
NEAR_DUPLICATES: Final = ("ignore", "report")
# The limits for a ruleset. A period in working days may last about one year. A validity may last three years, as long
# as the validity of a registration certificate (scenario S00).
_MAX_WORKING_DAYS: Final = 250
_MAX_YEARS: Final = 3
_CODE: Final = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A ruleset. ``digest`` is the digest of the whole definition; a registration names the digest of its ruleset.

    Periods in working days: ``review_days``, ``notice_days``, ``objection_days`` (to verify an objection),
    ``fix_days`` (to correct a returned application), ``share_days`` (to answer a demand for shared data). Periods in
    calendar days: ``offer_days`` (to accept a transfer) and ``renew_before_days`` (how long before expiry a renewal can
    be applied for). ``notice`` says for each kind of application whether such applications are put on public notice.
    """

    code: str
    version: int
    standing: str
    title: Bilingual
    basis: tuple[str, ...]
    review_days: int
    notice_days: int
    notice: Mapping[str, bool]
    objection_days: int
    fix_days: int
    validity_years: int
    renew_before_days: int
    renewal_years: int
    offer_days: int
    second_pledge: str
    share_days: int
    near_duplicate: str
    digest: str


def ruleset_of(raw: object, where: str) -> Ruleset:
    """Return the ruleset that a definition describes. Raises ``InvalidInput`` ``RULESET_INVALID``, which names the file
    and the member.
    """
    reader = _Reader(raw, where)
    return Ruleset(
        code=reader.matching("code", _CODE),
        version=reader.integer("version", 1, 10_000),
        standing=reader.one_of("standing", RULESET_STANDINGS),
        title=reader.bilingual("title"),
        basis=reader.texts("basis"),
        review_days=reader.integer("review_days", 1, _MAX_WORKING_DAYS),
        notice_days=reader.integer("notice_days", 1, _MAX_WORKING_DAYS),
        notice=reader.notice(),
        objection_days=reader.integer("objection_days", 1, _MAX_WORKING_DAYS),
        fix_days=reader.integer("fix_days", 1, _MAX_WORKING_DAYS),
        validity_years=reader.integer("validity_years", 1, _MAX_YEARS),
        renew_before_days=reader.integer("renew_before_days", 1, 365),
        renewal_years=reader.integer("renewal_years", 1, _MAX_YEARS),
        offer_days=reader.integer("offer_days", 1, 365),
        second_pledge=reader.one_of("second_pledge", SECOND_PLEDGES),
        share_days=reader.integer("share_days", 1, _MAX_WORKING_DAYS),
        near_duplicate=reader.one_of("near_duplicate", NEAR_DUPLICATES),
        digest=reader.digest(),
    )


class _Reader(DefinitionReader):
    code = "RULESET_INVALID"
    hint = "与软件包自带的规则对照。Compare the file with the rulesets in the package."

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.items(name)
        if not values or not all(isinstance(value, str) and 1 <= len(value) <= 500 for value in values):
            raise self.invalid(name, "应为 1 至 500 字文字的列表。A list of texts of 1 to 500 characters is expected.")
        return tuple(values)

    def notice(self) -> Mapping[str, bool]:
        reader = self.nested("notice")
        notice = {kind: reader.boolean(kind) for kind in APPLICATION_KINDS}
        reader.require_nothing_else()
        for kind in ALWAYS_NOTICED:
            if not notice[kind]:
                raise reader.invalid(kind, "此类申请必须公示，应为 true。The contract requires a notice here: true.")
        return notice
