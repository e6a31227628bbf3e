"""Gateways for tests: one in this process that speaks the protocol strictly, and a real one."""
