"""Addresses of other systems to which events are sent."""
