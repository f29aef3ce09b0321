"""Records of a destination, the decision about a new export, and its commit."""
