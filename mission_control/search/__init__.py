"""Finding things: search over what was written, and the palette that jumps anywhere."""
