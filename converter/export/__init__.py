"""The input: the export to convert, its manifests, and its data files as blocks of lines."""
