"""The loop that sends deliveries: in order, under leases, with retries."""
