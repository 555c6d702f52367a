"""Articles from the web: pages, feeds and sitemaps, with manners."""
