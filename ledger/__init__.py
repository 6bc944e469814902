"""Pingzheng 凭证: a ledger of data asset certificates."""

__version__ = "0.1.0"
