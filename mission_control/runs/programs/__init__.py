"""One module a program: all that the server knows of it."""
