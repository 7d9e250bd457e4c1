"""Measurements of NeuMatC: `python -m benchmarks list | run NAME… | report`.

Every run writes rows to a file of JSON lines, failures included, and every table of the documents is made from rows.
"""
