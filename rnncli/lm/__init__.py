"""Language models: whatever gives P(next word | all words before).

A `Mixture` (`rnncli.lm.mixture`) is what a model file holds: a list of parts behind one interface
(`rnncli.lm.interface`). `rnncli.lm.parts` lists the kinds of parts.
"""
