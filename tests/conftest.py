"""Settings that every test shares."""

import os

from hypothesis import settings

# A red test must be red again: examples are derived from the test itself, and no clock decides.
# `HYPOTHESIS_PROFILE=explore pytest` looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
