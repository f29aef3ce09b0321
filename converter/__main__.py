"""`python -m converter` is the `ddb-convert` command."""

from converter.subprocesses import leave_current_directory

if __name__ == "__main__":
    # `-m` puts the current directory first in sys.path. Nothing may be imported from it.
    leave_current_directory()

    from converter.cli import app

    app("python -m converter")
