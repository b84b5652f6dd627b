"""468 landmarks of an aligned face, and how far its mouth is open. Importing this does not import torch."""

from vidrestore.face_mesh.mesh import FaceMesh, make_face_mesh, mouth_opening

__all__ = ["FaceMesh", "make_face_mesh", "mouth_opening"]
