"""Text and word numbers: reading, tokenizing, vocabulary, batches. No network."""
