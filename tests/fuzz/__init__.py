"""A server without limits, and the formats of the contract, for requests made of the OpenAPI document."""
