"""Builds the Lambda layer: pinned wheels for the runtime's Python, our packages, and the byte code of both."""
