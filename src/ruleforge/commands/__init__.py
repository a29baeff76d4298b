"""commands: one module for each word that follows `ruleforge`

Each takes its parsed arguments and the host, says what it has to say, and gives its exit code. What
goes wrong is raised; `cli` knows what to make of it.
"""
