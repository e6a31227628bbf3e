"""Requests to the outside: one guarded way for everything that leaves."""
