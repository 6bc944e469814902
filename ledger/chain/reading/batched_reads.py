"""All batched reads of the contracts in one object."""

from __future__ import annotations

from ledger.chain.reading.log_reads import LogReads
from ledger.chain.reading.party_reads import PartyReads


class BatchedReads(PartyReads, LogReads):
    """Reads parties and the certificate log as of one block. Many reads need only one request to the node."""
