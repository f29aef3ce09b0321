"""Exports in Amazon Ion: processes of their own turn the lines into DynamoDB JSON, which goes the way of all others."""
