"""How hypothesis works here: a busy machine must not fail a law for being slow."""

import os

from hypothesis import settings

settings.register_profile("laws", deadline=None, max_examples=200)
settings.register_profile("laws-long", deadline=None, max_examples=5000)
settings.register_profile("laws-short", deadline=None, max_examples=50)
settings.load_profile(os.environ.get("RUNLEDGER_LAWS_PROFILE", "laws"))
