"""Board groups: boards that belong together."""
