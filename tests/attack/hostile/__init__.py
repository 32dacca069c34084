"""What the campaign `files` is made of.

recordings.py   honest recordings of every kind, made once
structures.py   mutations of what a file says: its JSON
archives.py     mutations of its arrays, its members and its bytes
checkpoints.py  honest checkpoints, and going on from them
usage.py        everything that can be asked of a recording
"""
