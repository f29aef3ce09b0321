"""Exports in Amazon Ion: separate processes translate the lines to DynamoDB JSON."""
