"""Who sends a request: credentials become actors, whose rights are checked again while streams are open."""
