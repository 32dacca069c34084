"""How fast is it, and how fast are others at the same work: `python -m tests.benchmarks`.

A map, in reading order:

    nets.py          networks as data, and their initial weights
    cases.py         what is measured: the cases, their names and groups
    inputs.py        the arrays that a case begins with
    frameworks/      one file for each framework: how it builds a case; base.py says what it has to offer;
    by_hand.py is the
                     floor, two steps in bare NumPy and nothing around them
    protocol.py      what the parent and the frameworks' processes say to each other
    worker.py        a framework's process; peak.py: its peak memory
    turns.py         the parent's side: starting the processes, taking turns with them
    measure.py       all the chosen cases; imports.py: the time of an import
    report.py        tables for people, with ratios.py and tables.py; limits.py: what the project promises
    scaling.py       data-parallel training on more ranks than there are, on paper
    load.py          whether other programs disturbed it all
    __main__.py      the command line

Each framework runs in a process of its own, for the threads of one library's BLAS go on spinning after a
product and would take the processors from the next. They take turns, with waits in between, and are compared
round by round. All get the same arrays and the same initial weights, and must find the same results, or
nothing is compared.
"""
