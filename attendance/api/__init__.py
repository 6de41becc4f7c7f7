"""The HTTP API, version 1: shape in, service, shape out."""
