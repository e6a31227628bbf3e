"""Tags of an organization and which tasks carry them."""
