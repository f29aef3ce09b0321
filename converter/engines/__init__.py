"""Where shards run: each engine takes the same worker function."""
