"""A profile for `make mutants`: a mutant that fails is dead, however small its counterexample could be made."""

from hypothesis import Phase, settings

settings.register_profile("no-shrink", phases=[Phase.explicit, Phase.reuse, Phase.generate])
