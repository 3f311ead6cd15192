"""The decisions: two pure functions, `decide_case` and `decide_stock`. No clock, no I/O, no randomness."""
