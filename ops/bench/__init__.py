"""Benches: `make bench`. Ratios within one run count; absolute figures are of this machine."""
