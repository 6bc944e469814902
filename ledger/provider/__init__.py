"""The software on a provider's own machine: it computes the rules, keeps records, and signs. Rows never leave it.

A provider's own program uses ``provider.Provider``, which takes a task and a source and returns a signed answer.
"""
