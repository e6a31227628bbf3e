"""GitHub, GitLab and Forgejo (and Gitea), asked by their APIs with a person's own token on her machine."""
