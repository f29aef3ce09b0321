"""Kernels that tell which items and changes a merge keeps."""
