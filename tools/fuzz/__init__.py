"""Runs the targets of tests/fuzz/ under a coverage-guided fuzzer, for as long as one likes."""
