"""How hypothesis works here: a busy machine must not fail a law for being slow."""

import os

from hypothesis import Phase, settings

settings.register_profile("laws", deadline=None, max_examples=200)
settings.register_profile("laws-long", deadline=None, max_examples=2000)
# The same examples for every mutant, and no time spent on a short one.
settings.register_profile(
    "laws-mutants",
    deadline=None,
    max_examples=60,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(os.environ.get("RUNLEDGER_LAWS_PROFILE", "laws"))
