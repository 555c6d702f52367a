"""Query understanding: follow-ups, dates, the expected answer type, numbers, chitchat."""
