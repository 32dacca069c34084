"""Names of PyTorch's that are not here, and what to write instead.

instead.py         the table, by PyTorch's names
missing.py         says it to who asks a module, or imports
array_methods.py   the table of methods of tensors that arrays (`.data`, `.grad`) have not
array_rewriting.py fills in a line of it
notes.py           says it where an AttributeError of an array or a Tensor ends the program
"""
