"""`make proof`: thousands of random orders and returns, decided and paid against a shop of each rounding rule.

Every line must be paid exactly what it cost, no refund may be refused for a cent and no payment overdrawn.
"""
