"""Text and the numbers of words: reading, cutting into words, counting, batching. No network."""
