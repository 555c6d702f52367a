"""The bot in Slack: app.py takes payloads, respond.py has the story of a question, serve.py runs it all."""
