"""What a run tells of itself: times by stage, rates, losses, memory."""
