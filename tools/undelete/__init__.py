"""Brings removed objects of a versioned bucket back, as part of a restore (docs/operations.md)."""
