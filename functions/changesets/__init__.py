"""The changesets function."""
