"""Home: what needs a person, and beside it what goes on without them."""
