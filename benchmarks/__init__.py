"""How fast the program is beside its peers, on data that is made here: `python -m benchmarks.run`."""
