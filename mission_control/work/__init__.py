"""Work beside requests: loops, and the sending of deliveries."""
