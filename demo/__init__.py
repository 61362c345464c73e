"""Devices sync a real Beancount ledger through an embedded relay; one joins late, one is revoked: `make demo`."""
