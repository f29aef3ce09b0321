"""What people would use otherwise: one program each, the best that could be got out of it, run as a whole process."""
