"""Terminals that sign in by a code (RFC 8628)."""
