"""Full-text search, and the palette that jumps anywhere."""
