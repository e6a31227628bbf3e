"""Notices to agents: an inbox that an agent reads, and a callback to which notices are sent."""
