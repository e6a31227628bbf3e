"""What comes in and goes out: webhooks, exports, imports."""
