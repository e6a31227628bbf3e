"""The page of one need."""
