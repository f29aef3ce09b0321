"""`python cli.py` in a checkout is the `ddb-convert` command."""

from converter.cli import app

if __name__ == "__main__":
    app()
