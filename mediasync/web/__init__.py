"""What is served over HTTP, by the extra ``web``."""
