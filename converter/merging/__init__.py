"""A full export or snapshot and the increments after it become one snapshot."""
