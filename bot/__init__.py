"""Questions to answers, and the screens that show them."""
