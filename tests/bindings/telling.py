"""How the scenarios tell what happens: the same lines in every language."""
import tlsshim


def show(value):
    if value is None or value in (b"", []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def say(title, *values):
    print(title, *map(show, values), sep=" | ", flush=True)


def error_of(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except tlsshim.Error as error:
        return error
    return None


def refused(title, call, *arguments, **options):
    error = error_of(call, *arguments, **options)
    say(title, f"{error.code}: {error}" if error else "was not refused")


def raised(title, call, *arguments, **options):
    try:
        call(*arguments, **options)
        say(title, "was not raised")
    except (TypeError, ValueError):
        say(title, "raised")


def named(title, word, call, *arguments, **options):
    """What is raised says what was wrong."""
    try:
        call(*arguments, **options)
        say(title, "was not raised")
    except (TypeError, ValueError) as error:
        say(title, word if word in str(error) else f"not named: {error}")


def done(answer):
    """What returns nothing has done it."""
    return answer is None
