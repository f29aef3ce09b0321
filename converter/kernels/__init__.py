"""Compiled loops that parse lines, merge changes, and encode CSV and Parquet; `bindings.py` lets Python call them."""
