"""The examples, run as a stranger runs them."""
