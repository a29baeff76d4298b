"""The language: text to a checked rulebook."""
