"""The use cases of campaigns: take entries in, ask for rights, hear answers, fetch media, tell the others."""
