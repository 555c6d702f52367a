"""What stands in an article: chunks, people, quotations, dated events, instructions, outlets' names."""
