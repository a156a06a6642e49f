"""What LinkFlow does per second, per core and per byte, beside this machine's limits and beside its peers.

`python -m bench` runs everything: tables, JSON, and exit code 1 when a target is missed.
`python -m bench.peers` installs the peers that are measured beside it, into bench/env.
"""
