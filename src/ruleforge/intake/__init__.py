"""intake: files and folders -> a revision of text tables

`read` is the door. Nothing here converts a value or judges it: cells stay the text that the file
holds, and what cannot be read is a `Refusal` with its place, never an exception and never a silent
gap.
"""
