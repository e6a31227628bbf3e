"""Connections that are kept up, and calls and events on them."""
