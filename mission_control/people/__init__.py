"""People, organizations, invitations, sign-in, and their long work."""
