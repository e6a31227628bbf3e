"""Board webhooks: what other systems send in."""
