"""From blocks of lines to Arrow columns: compiled kernels and what feeds them."""
