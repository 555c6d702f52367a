"""Articles to an index, and the search in it; knows nothing of chat."""
