"""Agents made, changed and removed on their gateways."""
