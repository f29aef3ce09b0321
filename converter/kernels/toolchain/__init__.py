"""From the kernels' sources to a library of machine code, when the package is built."""
