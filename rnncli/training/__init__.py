"""Training, from texts to a model: options -> plan -> trainer -> model."""
