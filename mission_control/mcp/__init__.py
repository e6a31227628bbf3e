"""MCP: the commands and queries of an agent's day as tools for language models, at `/mcp`."""
