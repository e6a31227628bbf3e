"""What people tell agents at work, and what is new for them."""
