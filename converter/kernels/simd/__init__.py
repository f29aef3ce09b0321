"""Bytes in words of 64, with vector registers or with plain loops."""
