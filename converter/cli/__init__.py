"""The command line: parse, call the api, render."""

import os
import signal

# The kernel ignores SIGTERM for process 1 of a container unless the process installs a handler. The real handlers are
# installed after the imports, which take a while; until then there is nothing to clean up.
if os.getpid() == 1 and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))

from converter.cli.main import app

__all__ = ["app"]
