"""What programs that people run really sent, as it was recorded, and how tests send it."""
