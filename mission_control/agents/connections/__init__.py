"""Programs on people's machines that work as agents."""
