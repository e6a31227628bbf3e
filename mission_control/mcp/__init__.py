"""MCP at `/mcp`: operations of the API as tools for language models."""
