"""One module a platform; `registry` says which of them this service understands."""
