"""Deliveries: the outbox rows of what must reach the outside. `sending` sends them."""
