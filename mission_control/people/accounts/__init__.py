"""Accounts of people, their passwords and personal tokens."""
