"""The benchmark: this project beside its peers, in one run on one machine. Start it with `make bench`."""
