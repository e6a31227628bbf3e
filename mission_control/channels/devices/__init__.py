"""Devices and accounts of people, and how they are linked."""
