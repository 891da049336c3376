"""Pictures edited: from a frame to its faces, through the network, and back into the frame."""
