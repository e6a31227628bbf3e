"""OpenClaw gateways: their connections, and calls to them from every process. What runs on them is in `gateway_agents`.

Read `connections/link.py` (a connection kept up) and `connections/connector.py` (calls from any process) first.
"""
