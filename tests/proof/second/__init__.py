"""A second verifier, written only from docs/protocol.md, without any code of ``ledger``.

Its modules follow the document: notation (§1 to §3), acts (§3), signatures (§4), forms and entries (§5, §6), values
(§6), bundle (§5, §7), facts (§8), checks and authorization (§9). It returns the numbers of the checks that fail,
without the reasons. ``cases`` contains the input with which the tests compare both verifiers.
"""
