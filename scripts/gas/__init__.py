"""Measures the gas of the contracts on a local node, and compares it with limits."""
