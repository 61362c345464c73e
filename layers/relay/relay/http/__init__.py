"""From an API Gateway proxy event to the core and back: routing, authentication, limits, the one error map."""
