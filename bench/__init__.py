"""The benchmark measures this project and the products it is compared with, in one run on one machine. Start it with
`make bench`.
"""
