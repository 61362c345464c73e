"""Brings back objects of a versioned bucket that were removed since: part of a restore (docs/operations.md)."""
