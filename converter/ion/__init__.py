"""Exports in Amazon Ion: data files as blocks of DynamoDB JSON lines."""
