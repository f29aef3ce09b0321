"""Kernels that read lines of DynamoDB JSON into columns."""
