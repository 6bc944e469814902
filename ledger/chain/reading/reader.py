"""Reading the contracts: the one object that the layers above ask."""

from __future__ import annotations

from ledger.chain.reading.asset_reader import AssetReader
from ledger.chain.reading.log_reader import LogReader
from ledger.chain.reading.power_reader import PowerReader


class ChainReader(LogReader, AssetReader, PowerReader):
    """Reads one deployment: the node, the parties and their powers, the certificate log and the asset register."""
