"""The attack: random and hostile uses of the library, run for as long as you like.

    python -m tests.attack CAMPAIGN [--seconds N] [--seed S] [--trial T]

Each campaign is a file that makes cases and says what must hold of them:

kernels.py      small correlations of every geometry, against the literal sums of `reference`
calls.py        bad calls of everything public: refused with an error that names op and argument, or right
programs.py     random programs, against PyTorch: values, first and second gradients
interrupts.py   Ctrl-C at random moments of a training: the model is before the step or after it
files.py        damaged and hostile recordings and checkpoints: refused with one kind of error, or usable
                (what they are damaged with: hostile/)
data_files.py   damaged and hostile files of MNIST's and CIFAR's formats, and .npz: refused, or read
threads.py      several threads on the same leaves
replays.py      random trainings, replayed and eager: the same bits after every call (of what: replayed/)

campaign.py has what they share: how trials are drawn, timed and shrunk. A failure prints the seed and the
trial it can be repeated with; the last line is `passed P of N`.
"""
