"""How tasks and agents find each other, and for how long."""
