"""MCP as its clients use it: the official SDK's own client against the served application."""
