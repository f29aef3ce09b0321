"""Observations of attributes, and the columns that follow from them and from a destination's promises."""
