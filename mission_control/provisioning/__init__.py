"""Agents on gateways: their workspaces and how they get there."""
