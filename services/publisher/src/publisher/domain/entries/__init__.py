"""What an entry to a campaign is, what may become of it, and when its media may be used. Pure: standard library only."""
