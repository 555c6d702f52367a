"""`clippings eval`: the answers to known questions, measured."""
