"""The program for terminals, run as people and agents run it: a file of its own in a process of its own."""
