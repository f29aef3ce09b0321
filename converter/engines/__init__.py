"""The engines that run shards: each takes the same worker function."""
