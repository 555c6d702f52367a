"""The command line `clippings`, and its chat."""
