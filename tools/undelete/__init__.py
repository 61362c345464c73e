"""Brings objects of a versioned bucket back that were removed after some time: part of a restore (docs/operations.md)."""
