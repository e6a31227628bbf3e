"""Other ways in: MCP, and the documentation of the API."""
