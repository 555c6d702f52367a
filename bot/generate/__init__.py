"""The generative answer: prompting -> llm, stream -> draft -> verify, support. `rewrite` completes follow-ups."""
