"""The database engines' dialects."""
