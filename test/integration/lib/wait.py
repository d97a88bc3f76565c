"""Waiting for something to become true. Tests never sleep for a fixed time."""

import time

WAIT = 90  # seconds: for what hangs; a machine that is busy elsewhere, or stands still for a while, is never this slow


class Timeout(AssertionError):
    """Something did not become true in time."""


def wait_for(condition, timeout, what):
    """Calls condition() until it returns something true, and returns that.

    timeout is in seconds. what says what is waited for: a text, or a function that returns one (called
    when the time is up, so that it can tell how things are then). An exception of condition counts as
    "not yet", except for AssertionError, which ends the waiting at once.
    """
    deadline = time.monotonic() + timeout
    pause = 0.01
    error = None
    while True:
        try:
            value = condition()
            error = None
            if value:
                return value
        except AssertionError:
            raise
        except Exception as caught:  # pylint: disable=broad-except
            error = caught
        left = deadline - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.25)
    text = what() if callable(what) else what
    raise Timeout(f"after {timeout} s still not: {text}" + (f" ({error!r})" if error else ""))
