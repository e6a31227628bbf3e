"""Agents that run on gateways: made, updated, spoken to, followed; skills, and setting up boards with them.

Read `provisioning/runner.py` (jobs of a gateway, step by step) and `notices.py` (what agents are told) first.
"""
