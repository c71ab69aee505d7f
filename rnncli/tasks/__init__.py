"""What can be asked of a model: each module takes a `Model` and gives a result object."""
