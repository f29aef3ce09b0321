"""Texts that other systems load a destination with."""
