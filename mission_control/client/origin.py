"""Where this copy of the program comes from; the server writes its own address here in what it sends."""

URL = ""
