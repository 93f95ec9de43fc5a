"""What each report says, from hours: every definition of a figure stands here, once."""
