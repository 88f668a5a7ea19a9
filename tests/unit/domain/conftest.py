"""Property tests of the rules: how long one example takes depends on the machine, so no time limit decides about right and wrong."""

from hypothesis import settings

settings.register_profile("rules", deadline=None)
settings.load_profile("rules")
