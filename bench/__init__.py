"""Measures the embedded relay on this machine: `make bench`. Nothing here is asserted; figures are printed."""
