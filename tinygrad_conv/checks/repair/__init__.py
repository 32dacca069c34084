"""Rule repair: the smallest edits of a wrong rule that make it right. A map of the folder, in reading order:

repair.py     from a call whose rule is wrong to the edits that mend it, and what is said of them
exam.py       what a right rule must give: gradients at several inputs, of other sizes too
scope.py      what the rule's names stand for: arrays, sizes, params; and how it calls ops
edits.py      every single edit of a syntax tree that a slip of the pen may ask for, likely ones first
expressions.py    what may stand in the place of an expression
workshop.py   a child process that tries edit after edit, and that can be stopped
"""
