"""The engine: an array that remembers how it was computed, and the way back. In reading order:

    node.py        Node, what one op leaves behind
    rule.py        Rule, what sends a gradient back to one input, and what it reads for that
    backward.py    sweep, the loop that is backpropagation
    tensor.py      Tensor, and `backward`
    backpropagation.py    both ends of a sweep: its seeds, and `.grad`
    differentiate.py      `tg.grad`, and gradients of gradients
    op.py          Op: how it is applied, and recorded
    saved.py       what its node saves of inputs and params
    half.py        what of that is computed in float32, for float16 cannot hold it
    declare.py     @primitive, which makes an op of a function
    methods.py, operators.py    what else a Tensor can do, each a line that calls an op
    grad.py        `.grad`, and what may be put there by hand
    function_methods.py    methods that are functions of `functional/`, which registers them
    in_place.py, in_place_methods.py    changes in place: the object becomes the new result
    conversions.py    another dtype, a device, and off the tape: numbers of Python's and NumPy's
    printing.py    how the numbers of a tensor are printed
    numpy_calls.py    what NumPy's own functions do with a Tensor
    next_functions.py    the tape as PyTorch's scripts walk it
    dlpack.py      a tensor's memory for other libraries
    index_order.py    `x[0, :, [1, 2]]` in PyTorch's order
    memory.py      who shows the same memory, and what was in it when an op read it
    commit.py      changes that happen wholly or not at all, whatever interrupts
    refusal.py     what was wrong with a call, found out after it failed
    instructions.py    what the user's line does with what a method returns
    registry.py, modes.py, hooks.py, location.py    names, whether ops are recorded, hooks, the user's line
    observed.py, observe.py, reads.py    the seam through which debuggers, checks and recordings look on

Its words:

    op            a forward and its gradient rules, under one name
    input, param  what an op is given: inputs are arrays, by position; params (a stride) by keyword
    rule          the function that makes the gradient of one input out of the gradient of the output
    tape          the nodes that ops have left, each pointing back at those that made its inputs
    node          one op that ran: where gradients go from it, and what its rules will read
    saved         the values saved for backward (residuals), by the names that the rules use; nothing else is
    edge          where a gradient goes: to an output of a node, or to a leaf
    leaf          a tensor that no op made: a parameter, or data
    sweep         one way back over the tape, newest node first
    seed          the gradient that a sweep begins with
    kept          what a forward returns beside its output for its rules (a mask, an index, a float)
    derivation    how a kept float follows from the inputs, for rules that are recorded themselves
    lift          to turn saved values into Tensors, so that the rules themselves are recorded (create_graph)
    memory        what a tensor and its views share; a leaf's may change, a result's never does
    version counter    when memory was last changed in place; newer than the node that read it is an error
    observer      who is told what the engine does, a debugger or a recording: observe.py
    follower      an observer that is told of every sweep, and may replace gradients at leaves
    door          where the engine finds what an upper floor provides, `loss.record()` for one: registry.py
"""
