"""Makes events/: for each route the event that API Gateway's REST proxy integration hands to its function."""
