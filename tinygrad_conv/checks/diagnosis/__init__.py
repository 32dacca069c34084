"""What kind of wrong a gradient is. A map of the folder, in reading order:

message.py            from a fault to the error: the op to blame, its rule, its line, the diagnosis
culprit.py            which op that a function calls is wrong by itself
verdict.py            which of its rules is, or its forward, and how: asks the files below
every_wrong.py        all inputs of a call that are wrong, and through which outputs
mistakes.py           what is tried on the evidence, in which order, and the usual mistakes

What is exactly true of the given and the right Jacobian:
conditions.py         wrong for some params, shapes or layouts alone; right for others than were given
moved_axes.py         axes that are exchanged or reversed
places.py             right numbers in wrong places; the one part that is wrong
branches.py           wrong where a comparison holds
constant_factor.py    a factor that is one number: a plain one, a param, a size
factors.py            a factor too much or missing, by its name; a matrix
shares.py             which outputs have a share in an element's gradient
terms.py              a term that is missing, wrong or too much
domain.py             not finite: outside of what the op is defined for

evidence.py           the Jacobian of an op: what its rule gives, and what is right
quantities.py         what a rule can name: inputs, outputs, kept values, params, and statistics
named.py              numbers by the name of such a quantity

state_or_chance.py    not the same twice: a state, or random numbers
used_as_constant.py   right at order 1, wrong at order 2: what a rule uses as a constant
wrong_return.py       the type, dtype and shape of what a rule returns
rule_source.py        what a rule may say: its source, without running it
"""
