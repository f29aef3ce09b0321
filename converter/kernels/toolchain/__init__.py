"""How kernels become machine code, and how machine code is found, trusted, and loaded."""
