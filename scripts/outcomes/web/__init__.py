"""Pages on this computer: their server, their door and their look."""
