"""Worked examples. Each is run by a test."""
