"""What more than one automation needs: the run, its words, and the edges to Google Cloud."""
