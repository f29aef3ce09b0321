"""Conditions on items, as `--where` takes them: their grammar, their meaning, and their form for the kernel."""
