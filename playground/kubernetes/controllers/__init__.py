"""What makes a cluster move: small controllers, each with a pure "what should be" and the writes that bring it about.

They know the object store and nothing of HTTP. All of them are level-based: after a restart with the same store they
go on where they were.
"""
