"""What pages are made of: rendering, forms, actions, regions, the shell."""
