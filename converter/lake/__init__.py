"""What can be done with published parts."""
