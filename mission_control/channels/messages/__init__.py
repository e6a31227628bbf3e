"""Messages: their rows, links and pages."""
