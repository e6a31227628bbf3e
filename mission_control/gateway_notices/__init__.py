"""Notices to the agents of gateways, sent as messages to their sessions."""
