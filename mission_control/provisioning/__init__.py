"""Agents of gateways: jobs that create them there, write their workspace files and wake them."""
