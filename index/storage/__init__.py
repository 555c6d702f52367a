"""What outlives a run: catalogue and vectors, in a folder or on servers."""
