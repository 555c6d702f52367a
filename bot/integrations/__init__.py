"""Clippings behind the interfaces of other libraries."""
