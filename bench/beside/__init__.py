"""The embedded relay and its peers at the same work, in one run on one machine: `make bench` (ADR 0022)."""
