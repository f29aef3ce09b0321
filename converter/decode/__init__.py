"""Lines of DynamoDB JSON to rows of typed columns: the Python side, which calls the kernels."""
