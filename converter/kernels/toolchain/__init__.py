"""From the kernels' sources to machine code, and its cache and loading."""
