"""What is at a destination and what may be added: records, reports, prior schema, and the decision to publish."""
