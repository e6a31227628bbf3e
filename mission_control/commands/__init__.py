"""Changes of state: commands, their transaction, and the reactions to what they record."""
