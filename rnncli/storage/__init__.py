"""Files: models, archives of arrays, and writing whole files or nothing."""
