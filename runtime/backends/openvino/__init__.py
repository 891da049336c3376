"""OpenVINO, and where it keeps what it compiled."""
