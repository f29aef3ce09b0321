"""What was seen of the attributes, and the columns that follow from it."""
