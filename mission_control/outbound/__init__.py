"""Requests to the outside: one guarded client for all of them."""
