"""The sessions of a gateway: lists, transcripts, messages and usage."""
