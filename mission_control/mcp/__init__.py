"""MCP over HTTP: tools are operations of the API in words for models.

Read `registry.py` (a tool) and `endpoint.py` (the protocol) first.
"""
