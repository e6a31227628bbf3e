"""Organizations, their members, invitations and rights."""
