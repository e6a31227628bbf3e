"""Commands as a shell reads them."""
