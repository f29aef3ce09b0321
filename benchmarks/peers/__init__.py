"""Alternatives to the program: one program each, tuned as well as possible, run as a whole process."""
