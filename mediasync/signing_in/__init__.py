"""Signing in to servers for the first time: finding one, getting its token, and writing the configuration.

Nothing in here speaks to people. A flow that needs somebody to approve a code is a coroutine which is given a
function that shows the code. `mediasync.cli.init` asks the questions.
"""
