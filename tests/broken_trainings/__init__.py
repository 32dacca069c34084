"""Small trainings as learners write them, broken and healthy: what the doctor is examined with.

    python -m tests.broken_trainings seen|kept|fresh|blind [NAME…] [--show]

seen/broken     each has one fault that learners make and ask about in public
seen/healthy    each is right, and has something about it that looks like a fault
kept/           the same again: other faults, and some of the same in another guise
fresh/          and again, written later by a hand that had seen neither the doctor nor `kept`
blind/          and once more, by another hand, when the doctor knew all of these

Whoever works on the doctor looks at `seen` as often as he likes. The others were not looked at while the
doctor was built: each was used once, at the end, to find whether the doctor knows trainings that it was not
made for. What it missed was mended as a kind, and since then they keep it from being forgotten.

The examination gives each script to `python -m tinygrad_conv doctor`, without its docstring and under a name
that says nothing, and compares what the doctor finds with what the docstring says. Whether its reason
is right is decided by a few words; a person has to read on (`--show`).

docstring.py    what stands in a script's docstring
examination.py  one script at the doctor's, and the verdict
"""
