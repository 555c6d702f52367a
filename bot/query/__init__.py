"""What is asked: follow-ups completed, dates, the expected answer type, numbers, chitchat."""
