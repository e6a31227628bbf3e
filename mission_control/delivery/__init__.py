"""Deliveries: what leaves the building, retried until it arrived or was given up. Imports no feature."""
