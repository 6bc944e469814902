"""The software on a provider's own machine. It computes claims from the provider's rows, keeps records, and signs
answers. The rows never leave the machine.

A provider who writes a program uses the class ``provider.Provider``, which takes a task and a source and returns a
signed answer.
"""
