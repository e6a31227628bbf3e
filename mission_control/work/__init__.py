"""Work beside requests: loops, leases, and the rows of what must reach the outside."""
