"""What people chose about how they are reached."""
