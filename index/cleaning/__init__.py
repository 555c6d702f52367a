"""A raw record becomes an article: body, headline, outlet, days, and what is no part of it."""
