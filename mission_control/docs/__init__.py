"""The API's own documents."""
