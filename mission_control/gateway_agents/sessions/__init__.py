"""Sessions on gateways: transcripts, following, usage."""
