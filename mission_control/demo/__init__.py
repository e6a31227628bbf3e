"""A live board in one command: invented data, and simulated agents that use only the public HTTP API."""
