"""One class with all batched reads of the contracts."""

from __future__ import annotations

from ledger.chain.reading.log_reads import LogReads
from ledger.chain.reading.party_reads import PartyReads


class BatchedReads(PartyReads, LogReads):
    """Reads parties and the certificate log as of one block. Many reads are sent to the node in one request."""
