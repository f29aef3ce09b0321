"""Ad hoc analysis of what was published, in the process of a notebook."""
