"""The benchmark measures this project and the products with which it is compared, in one run on one machine. Start it
with `make bench`.
"""
