"""The parts that several automations need: the run, its words, and the edges to Google Cloud."""
