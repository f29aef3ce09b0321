"""Recurring runs: one export a day, or windows of changes, found or started, waited for, converted."""
