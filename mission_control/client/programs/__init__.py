"""One module a program that can be connected."""
