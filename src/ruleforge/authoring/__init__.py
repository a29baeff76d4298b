"""For people who write rulebooks."""
