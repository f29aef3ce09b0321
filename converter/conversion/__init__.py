"""One export becomes pending parts: plan, schema, passes over the data, and the run that publishes them."""
