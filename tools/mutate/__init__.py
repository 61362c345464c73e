"""Seeded bugs: shows that the tests, and the conformance kit, can fail."""
