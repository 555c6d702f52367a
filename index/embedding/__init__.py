"""Texts become vectors: the model and its weights."""
