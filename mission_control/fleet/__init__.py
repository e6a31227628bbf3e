"""Agents that run on gateways: made, updated, spoken to, followed; and board setup with them."""
