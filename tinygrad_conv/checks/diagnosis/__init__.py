"""What kind of wrong a gradient is. A map of the folder, in reading order:

message.py            from a fault to the error: the op to blame, its rule, its line, the diagnosis
culprit.py            which op that a function calls is wrong by itself
verdict.py            which of its rules is, or its forward, and how: asks the files below
mistakes.py           the usual mistakes, tried out on the evidence
conditions.py         those that show for some params, shapes or layouts alone
moved_axes.py         axes that are exchanged or reversed
evidence.py           the Jacobian of an op: what its rule gives, and what is right
used_as_constant.py   right at order 1, wrong at order 2: what a rule uses as a constant
wrong_return.py       the type, dtype and shape of what a rule returns
rule_source.py        what a rule may say: its source, without running it
"""
