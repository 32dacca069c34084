"""Small trainings as learners write them, broken and healthy: what the doctor is examined with.

    python -m tests.broken_trainings seen|kept|fresh [NAME…] [--show]

seen/broken     each has one fault that learners make and ask about in public
seen/healthy    each is right, and has something about it that looks like a fault
kept/           the same again: other faults, and some of the same in another guise
fresh/          and again, written later by a hand that had seen neither the doctor nor `kept`

Whoever works on the doctor looks at `seen` as often as he likes. `kept` and `fresh` are not looked at while
the doctor is built: each is used once, at the end, to find whether the doctor knows trainings that it was not
made for.

The examination gives each script to `python -m tinygrad_conv doctor`, without its docstring and under a name
that says nothing, and compares what the doctor finds with what the docstring says. Whether its reason
is right is decided by a few words; a person has to read on (`--show`).

docstring.py    what stands in a script's docstring
examination.py  one script at the doctor's, and the verdict
"""
