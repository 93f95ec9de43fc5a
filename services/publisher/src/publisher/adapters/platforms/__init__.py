"""One module a platform: how it is called, what its answers mean, how it is read back."""
