"""Judging data by a rulebook."""
