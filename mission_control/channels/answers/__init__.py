"""What comes from providers, and becomes answers."""
