"""What an agent is told: an inbox that it reads, and an address of its own to which notices are sent."""
