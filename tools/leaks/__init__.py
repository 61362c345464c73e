"""Seeded leaks: shows that audit, types and canaries catch what would let a sealed value out."""
