"""The only SQL. A repository is given a session; it never begins or commits.

Every statement is a constant in capitals beside the class that runs it, and a test prepares each on every
engine.
"""
