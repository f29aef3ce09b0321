"""Kernels that turn rows of columns into CSV text and Parquet pages."""
