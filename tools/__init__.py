"""What the project runs on itself: the zero-knowledge audit, the OpenAPI document, seeded bugs."""
