"""The benchmarks of mediasync: ``python -m benchmarks``."""
