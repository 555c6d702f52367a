"""What stands in for the world outside, and for parts that a test is not about."""
