"""The checks, a module for each part of the protocol. Each reads like the sentences that it checks."""
