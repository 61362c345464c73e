"""Generates schema/openapi.json from the models that parse the requests, the route table and the error classes."""
