"""What a provider runs on its own machine: the rules, its own records, and its signature. Rows stay here.

A provider's own program uses ``provider.Provider``: a task and a source in, a signed answer out.
"""
