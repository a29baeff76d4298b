"""`python -m ruleforge`, and the command `ruleforge`"""

import signal
import sys


def main() -> int:
    """Loads the command line and runs it. Ctrl-C while it is loading ends the process at once, as
    the system does it: there is nothing to tidy yet, and nobody wants a traceback of imports.
    """
    # WHY: a shell that ignores the signal for us is obeyed.
    impatient = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if impatient:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from ruleforge.cli import main as run  # what takes long to load

    if impatient:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run()


if __name__ == "__main__":
    sys.exit(main())
