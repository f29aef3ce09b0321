"""Files that load a destination into other systems."""
