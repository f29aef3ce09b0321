"""Benchmarks of the program and its peers on generated data: `python -m benchmarks.run`."""
