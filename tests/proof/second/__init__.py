"""A second verifier, written from docs/protocol.md alone: nothing of ``ledger`` is in it. Read the two side by side.

It says less than the first: which of the eleven numbered checks fail, and not why. test_second_verifier.py asks both.
"""
