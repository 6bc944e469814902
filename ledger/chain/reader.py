"""Reading the contracts: the one object that the layers above ask."""

from __future__ import annotations

from ledger.chain.asset_reader import AssetReader
from ledger.chain.log_reader import LogReader


class ChainReader(LogReader, AssetReader):
    """Reads one deployment: the node, the parties, the certificate log and the asset register."""
