"""The list of cases; a case's docstring is its name."""

CASES = []


def case(check):
    CASES.append((check.__doc__, check))
    return check
