"""The command line: parse, call the api, render."""

import os
import signal

# For process 1 of a container the system does nothing at SIGTERM. The handlers come later, and importing what is behind
# them takes a while, in which nothing is begun that would have to be cleaned up.
if os.getpid() == 1 and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))

from converter.cli.main import app

__all__ = ["app"]
