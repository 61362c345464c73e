"""Two devices sync a real Beancount ledger through an embedded relay, and prove that they agree: `make demo`."""
