"""What GitHub, GitLab and Forgejo tell of code."""
