"""Rule repair: the smallest edits of a wrong rule that make it right. A map of the folder, in reading order:

repair.py        from a call whose rule is wrong to the edits that mend it, and what is said of them
exam.py          what a right rule must give: gradients at several inputs, of other sizes too
edited.py        a rule with an edit: compiled, and held against that
edits.py         every single edit of a syntax tree that a slip of the pen may ask for, likely ones first
expressions.py   what may stand in the place of an expression: one token is another
additions.py     and where something was forgotten: a factor, a term, a function
fitted.py        the term or factor that the numbers ask for
rule_names.py    what the rule's names stand for: arrays, sizes, params; and how it calls ops
workshop.py      a child process that makes attempt after attempt, and that can be stopped
adequacy.py      the same edits on a rule that is right: could the inputs tell?
"""
