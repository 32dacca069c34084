"""What notebooks show of things: HTML without a script, which every notebook lets through.

markup.py      texts, tables, what opens with a click: colours are the notebook's own, names are escaped
pictures.py    image-like arrays as PNG, in bounded size
tensors.py     a tensor, a node, a step
nets.py        a module as a tree, a summary
reports.py     tables of sizes, times and checks; the doctor's report

Recordings, tapes, films and differences are whole pages (page/), in a frame, with their text below it.
"""
