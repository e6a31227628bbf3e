"""What needs people finds them: channels, when is what sent where, and answers from outside."""
