"""The hooks of programs: received, queued, read, answered."""
