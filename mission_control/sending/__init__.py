"""The loop that sends deliveries."""
