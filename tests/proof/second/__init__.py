"""A second verifier, written from docs/protocol.md alone: nothing of ``ledger`` is in it. Read the two side by side:
notation (§1 to §3), acts (§3), signatures (§4), forms, entries (§5, §6), values (§6), bundle (§5, §7), facts (§8),
checks, authorization (§9). It says less than the first: which of the eleven numbered checks fail, and not why.

``cases`` holds what the tests ask both.
"""
