"""The open catalogue (开放目录): resources offered to everybody or to named parties, with conditions and a licence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ledger.catalogue import lookups
from ledger.catalogue.tables import CatalogueResource, OpenItem, ResourceVersion
from ledger.catalogue.use_case import UseCase
from ledger.domain.resource import OPEN_TYPES
from ledger.errors import Conflict, InvalidInput
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require

MAX_CONDITIONS: Final = 400
MAX_LICENCE: Final = 64
_SHOWN: Final = ("code", "number", "version", "open_type", "conditions", "licence", "created_at", "withdrawn_at")


@dataclass(frozen=True, slots=True)
class Opening:
    """How a resource is offered in the open catalogue. ``open_type`` is ``free`` (无条件: to everybody), ``targeted``
    (定向: to named parties) or ``authorised`` (授权运营: to a party that is authorised to operate the resource).
    """

    open_type: str
    conditions: str
    licence: str


class OpenCatalogue(UseCase):
    """Keeps the open catalogue. An item is valid only while its resource is published."""

    def open(self, actor: Actor, code: str, opening: Opening) -> dict[str, Any]:
        """Put the published version of a resource into the open catalogue. The resource's earlier items stay as
        history.

        Raises ``InvalidInput`` ``OPENING``, ``Conflict`` ``NOT_PUBLISHED`` or ``NOT_TO_BE_OPENED``.
        """
        _check(opening)
        with self._database.write() as session:
            row = lookups.resource(session, code, lock=True)
            require(actor, Action.PUBLISH_LISTS, owns=lookups.acts_for(session, actor.party, row.provider))
            if row.published_version is None:
                raise Conflict(
                    "NOT_PUBLISHED",
                    "Only a published resource can be put into the open catalogue.",
                    where=f"resource {code}",
                )
            allowed = lookups.version(session, code, row.published_version).document["open_attr"]
            if allowed == "none" or (allowed == "conditional" and opening.open_type == "free"):
                raise Conflict(
                    "NOT_TO_BE_OPENED",
                    f"The resource's open attribute is {allowed}.",
                    where=f"resource {code}",
                    hint="Publish a version with another open attribute, or open the resource to named parties.",
                )
            self._withdraw(session, code)
            item = OpenItem(
                code=code,
                number=lookups.next_number(session, OpenItem.number, OpenItem.code == code),
                version=row.published_version,
                **asdict(opening),
                created_by=actor.party,
                created_at=self._clock(),
                withdrawn_at=None,
            )
            session.add(item)
            return _shown(item)

    def close(self, actor: Actor, code: str) -> None:
        """Remove a resource from the open catalogue; its items stay as history."""
        with self._database.write() as session:
            row = lookups.resource(session, code, lock=True)
            require(actor, Action.PUBLISH_LISTS, owns=lookups.acts_for(session, actor.party, row.provider))
            self._withdraw(session, code)

    def _withdraw(self, session: Session, code: str) -> None:
        for item in session.scalars(select(OpenItem).where(OpenItem.code == code, OpenItem.withdrawn_at.is_(None))):
            item.withdrawn_at = self._clock()

    def page(self, after: str | None, limit: int) -> list[dict[str, Any]]:
        """Return a page of valid items with their published descriptions, ordered by resource code; the page starts
        after the code ``after``.
        """
        return self._items(OpenItem.code > after if after else OpenItem.code.is_not(None), limit)

    def get(self, code: str) -> dict[str, Any]:
        """Return the valid item of a resource, and the history of all its items. Raises ``Conflict`` ``NOT_OPEN``."""
        current = self._items(OpenItem.code == code, 1)
        if not current:
            raise Conflict("NOT_OPEN", "The resource is not in the open catalogue.", where=code[:64])
        with self._database.read() as session:
            rows = session.scalars(select(OpenItem).where(OpenItem.code == code).order_by(OpenItem.number))
            return current[0] | {"history": [_shown(row) for row in rows]}

    def _items(self, wanted: ColumnElement[bool], limit: int) -> list[dict[str, Any]]:
        query = (
            select(OpenItem, ResourceVersion.document)
            .join(CatalogueResource, CatalogueResource.code == OpenItem.code)
            .join(
                ResourceVersion,
                (ResourceVersion.code == OpenItem.code)
                & (ResourceVersion.version == CatalogueResource.published_version),
            )
            .where(OpenItem.withdrawn_at.is_(None), wanted)
            .order_by(OpenItem.code)
            .limit(limit)
        )
        with self._database.read() as session:
            return [_shown(item) | {"resource": document} for item, document in session.execute(query)]


def _check(opening: Opening) -> None:
    bounded = len(opening.conditions) <= MAX_CONDITIONS and 1 <= len(opening.licence) <= MAX_LICENCE
    conditioned = opening.open_type == "free" or opening.conditions.strip()
    if opening.open_type not in OPEN_TYPES or not bounded or not conditioned:
        raise InvalidInput(
            "OPENING",
            "An open resource needs a type and a licence, and conditions unless it is free.",
            hint=f"Types: {', '.join(OPEN_TYPES)}.",
        )


def _shown(item: OpenItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in _SHOWN}
