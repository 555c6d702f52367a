"""The answer with a language model: prompted, streamed, and checked against the passages."""
