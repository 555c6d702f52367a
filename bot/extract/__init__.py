"""The extractive answer, without a language model: rank sentences, read them, predict answerability, quote."""
