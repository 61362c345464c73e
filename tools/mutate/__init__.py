"""Seeded bugs: shows that the tests of the crypto, the chain and the audit can fail."""
