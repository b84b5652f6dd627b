<<<<<<< HEAD
"""What training reads: faces, people held out, and synthetic degradation."""
=======
"""Training data: faces, degradations, scenes."""
>>>>>>> layout
