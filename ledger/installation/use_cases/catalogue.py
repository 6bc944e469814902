"""The use cases of the data catalogue: systems, data, publication, demands."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.catalogue.data_list import Catalogue
from ledger.catalogue.demands import Demands
from ledger.catalogue.important_data import ImportantDataList
from ledger.catalogue.imports import CatalogueImport
from ledger.catalogue.open_catalogue import OpenCatalogue
from ledger.catalogue.publications import Publications
from ledger.catalogue.systems import Systems
from ledger.installation.use_cases.foundation import Foundation
from ledger.installation.use_cases.parties import PartyUseCases


@dataclass(frozen=True)
class CatalogueUseCases:
    """The use cases of the catalogue."""

    data: Catalogue
    imports: CatalogueImport
    publications: Publications
    open_catalogue: OpenCatalogue
    important_data: ImportantDataList
    systems: Systems
    demands: Demands


def catalogue_use_cases(base: Foundation, parties: PartyUseCases) -> CatalogueUseCases:
    """Build the use cases of the catalogue."""
    database, clock = base.database, base.clock
    return CatalogueUseCases(
        data=Catalogue(database, clock),
        imports=CatalogueImport(database, clock),
        publications=Publications(database, parties.register, base.intake, clock),
        open_catalogue=OpenCatalogue(database, clock),
        important_data=ImportantDataList(database, clock),
        systems=Systems(database, clock),
        demands=Demands(database, base.rules.share_days, clock),
    )
