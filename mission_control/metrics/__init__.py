"""Figures computed from tasks and events."""
