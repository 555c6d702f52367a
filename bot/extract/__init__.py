"""The answer without a language model: sentences ranked and read, and the best of them quoted."""
