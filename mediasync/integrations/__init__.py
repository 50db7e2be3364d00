"""Bridges to other programs. Each module needs the extra of its name, or none."""
