"""Signing in, here and with an identity provider, and the first run."""
