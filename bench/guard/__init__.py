"""A regression guard that counts instructions, so that a noisy machine tells the same as a quiet one. See ADR 0024."""
