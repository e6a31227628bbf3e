"""Export boards to files, and import them."""
