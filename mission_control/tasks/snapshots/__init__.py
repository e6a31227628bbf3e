"""A board's answers: their cached parts, its snapshot and stream."""
