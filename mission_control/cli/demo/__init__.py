"""The demo: its story, its agents, its seed."""
