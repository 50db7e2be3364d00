"""The only SQL. A repository is given a session; it never begins or commits a transaction.

Every statement is a constant in capitals beside the class that runs it, below a comment that says what it is
for. A test prepares each of them on every engine.
"""
