"""The use cases of the data catalogue: systems, data, publication, demands."""

from __future__ import annotations

from ledger.catalogue.data_list import Catalogue
from ledger.catalogue.demands import Demands
from ledger.catalogue.important_data import ImportantDataList
from ledger.catalogue.imports import CatalogueImport
from ledger.catalogue.open_catalogue import OpenCatalogue
from ledger.catalogue.publications import Publications
from ledger.catalogue.systems import Systems
from ledger.installation.use_cases.foundation import Foundation
from ledger.installation.use_cases.parties import PartyUseCases


class CatalogueUseCases:
    """Holds one object for each use case of the catalogue."""

    def __init__(self, base: Foundation, parties: PartyUseCases) -> None:
        database, clock = base.database, base.clock
        self.data = Catalogue(database, clock)
        self.imports = CatalogueImport(database, clock)
        self.publications = Publications(database, clock, parties.register, base.intake)
        self.open_catalogue = OpenCatalogue(database, clock)
        self.important_data = ImportantDataList(database, clock)
        self.systems = Systems(database, clock)
        self.demands = Demands(database, clock, base.rules.share_days)
