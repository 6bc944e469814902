"""What a subject may take away: its certificates as full bundles, for its wallet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ledger.certificates.bundles import Bundles
from ledger.errors import NotFound
from ledger.proof.bundle import Bundle
from ledger.usage.holdings.filter import HoldingsFilter
from ledger.usage.holdings.overview import Holding, Holdings

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """Full bundles; ``left_out`` are certificates whose batch is still open or whose claims were erased.

    ``last`` is the number after which the next page begins, None on the last page.
    """

    bundles: tuple[Bundle, ...]
    left_out: tuple[str, ...]
    last: str | None


class HolderBundles:
    """Makes the bundles of what a party is the subject of: as a data subject, or as the holder of a registration."""

    def __init__(self, holdings: Holdings, bundles: Bundles) -> None:
        self._holdings = holdings
        self._bundles = bundles

    def page(self, subject: str, wanted: HoldingsFilter, after: str | None, limit: int) -> Taken:
        """One page, by number; of ``wanted`` the party is always ``subject``."""
        own = replace(wanted, party=subject, part="subject")
        found = self._holdings.page(own, after, limit + 1)
        made = {holding.certificate.certificate_no: self._bundle(holding) for holding in found[:limit]}
        return Taken(
            bundles=tuple(bundle for bundle in made.values() if bundle is not None),
            left_out=tuple(number for number, bundle in made.items() if bundle is None),
            last=found[limit - 1].certificate.certificate_no if len(found) > limit else None,
        )

    def all(self, subject: str, wanted: HoldingsFilter) -> Taken:
        """Every page in one."""
        bundles: list[Bundle] = []
        left_out: list[str] = []
        page = self.page(subject, wanted, None, _PAGE)
        while True:
            bundles += page.bundles
            left_out += page.left_out
            if page.last is None:
                return Taken(tuple(bundles), tuple(left_out), None)
            page = self.page(subject, wanted, page.last, _PAGE)

    def _bundle(self, holding: Holding) -> Bundle | None:
        if holding.state == "building":
            return None
        try:
            return self._bundles.build(holding.certificate.certificate_no)
        except NotFound as missing:
            if missing.code != "SEALED_ERASED":
                raise
            return None
