"""The input: which export is meant, what its manifests say, and its data files as blocks of lines."""
