"""What training reads: faces, people held out, and synthetic degradation."""
