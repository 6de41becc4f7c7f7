"""
Every change of state, one function each, used alike by API, pages, admin, commands.

Each is one transaction with its event rows and one publication per message, after the
commit. Callers have already established that the actor may do it (see selectors). What
changes nothing writes nothing. Refusals are the exceptions of `attendance.exceptions`.
"""
