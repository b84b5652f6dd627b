"""468 points of an aligned face, and how far its mouth is open. Importing this loads no torch."""

from vidrestore.face_mesh.mesh import FaceMesh, make_face_mesh, mouth_opening

__all__ = ["FaceMesh", "make_face_mesh", "mouth_opening"]
