"""The tests, the fakes they use, and the benchmark."""
