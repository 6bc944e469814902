"""Exports a party's certificates as full bundles for the party's wallet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ledger.certificates.bundles import Bundles
from ledger.errors import NotFound
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.proof.bundle import Bundle
from ledger.usage.holdings.filter import HoldingsFilter
from ledger.usage.holdings.overview import Holding, Holdings

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """A page of full bundles. ``left_out`` lists certificates without a bundle: the certificate is not anchored yet, or
    its claims were erased.

    ``last`` is the number after which the next page starts, or None on the last page.
    """

    bundles: tuple[Bundle, ...]
    left_out: tuple[str, ...]
    last: str | None


class HolderBundles:
    """Builds bundles of a party's own certificates, that is, certificates of which the party is the data subject or the
    holder of the registration.
    """

    def __init__(self, holdings: Holdings, bundles: Bundles) -> None:
        self._holdings = holdings
        self._bundles = bundles

    def export(self, actor: Actor, wanted: HoldingsFilter, after: str | None, limit: int) -> Taken:
        """Return one page of bundles of the actor's own certificates. Raises ``Forbidden`` ``PARTY_LACKS_ROLE`` if the
        actor's roles do not permit reading certificates.
        """
        require(actor, Action.SEE_PAYLOAD, owns=True)
        return self.page(actor.party, wanted, after, limit)

    def page(self, subject: str, wanted: HoldingsFilter, after: str | None, limit: int) -> Taken:
        """Return one page of bundles, ordered by certificate number. The party in ``wanted`` is ignored; the page is
        always for ``subject``.
        """
        own = replace(wanted, party=subject, part="subject")
        found = self._holdings.page(own, after, limit + 1)
        made = {holding.certificate.certificate_no: self._bundle(holding) for holding in found[:limit]}
        return Taken(
            bundles=tuple(bundle for bundle in made.values() if bundle is not None),
            left_out=tuple(number for number, bundle in made.items() if bundle is None),
            last=found[limit - 1].certificate.certificate_no if len(found) > limit else None,
        )

    def all(self, subject: str, wanted: HoldingsFilter) -> Taken:
        """Return the bundles of all pages as one page."""
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
