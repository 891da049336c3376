"""Whether an artefact still does what the model it was made from does, and if not, why."""
