"""Work that agents found and propose."""
