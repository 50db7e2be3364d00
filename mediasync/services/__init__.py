"""The services: they own the transactions."""
