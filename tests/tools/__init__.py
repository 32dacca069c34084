"""What measures the tests, and is no test itself. A map:

mutation.py       breaks every rule or kernel in standard ways, and lists what no test notices:
                  `python -m tests.tools.mutation rules|kernels [NAME …]`
mutants.py        how a function is broken, and by what a mutant is known
speed.py          the changes of kernels that decide nothing but how fast they are
equivalents/      the mutants that change nothing, each with its reason; `python -m tests.tools.mutation
                  stale` lists those that match no mutant any more
judge_figures.py  how often the judge (`gradcheck`) names the mistake that was made:
                  `python -m tests.tools.judge_figures [ROUNDS]`
broken.py         the ops that are broken for the judge, which are right at first
breakages.py      the ways in which rules give wrong numbers
misbehaviours.py  the ways in which forwards and rules misbehave otherwise

The benchmarks are a folder of their own: `python -m tests.benchmarks`.
"""
