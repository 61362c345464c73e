"""The embedded relay: HTTP in, the Lambda handlers, HTTP out."""
