"""What is done with a specification: proof, refutation, exploration, fuzzing, replay, reports, the command line."""
