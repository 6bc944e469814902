"""The class through which all other packages read the chain."""

from __future__ import annotations

from ledger.chain.reading.asset_reader import AssetReader
from ledger.chain.reading.log_reader import LogReader
from ledger.chain.reading.power_reader import PowerReader


class ChainReader(LogReader, AssetReader, PowerReader):
    """Reads one deployment: blocks, events, parties, proposals, the certificate log and the asset register."""
