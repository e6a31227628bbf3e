"""Web push: the channel, its hosts, its key, its encryption."""
