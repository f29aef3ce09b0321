"""Parts: files of rows in the output's format."""
