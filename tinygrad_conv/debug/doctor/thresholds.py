"""Every threshold of the doctor, with its reason. A false alarm is worse than a miss: each is far outside of
what healthy trainings show.
"""

from __future__ import annotations

MOST_OPS = 200_000  # ops that are kept: a bound on memory, in loops that never step
STEPS = 50  # of a script that are watched: several batches, and a few epochs of a toy

# Gradient flow. The relative gradient |dw|/|w| of healthy layers of one net lies within two or three powers
# of ten; a sigmoid passes at most a quarter, so ten of them leave 1e-6.
VANISHING = 1e-4  # of the first layer's relative gradient to the largest of the later ones
EXPLODING = 1e5  # of the largest relative gradient to the median one
FLOW_STEPS = 3  # backwards that must agree: in the first one a zero-initialised layer may hold all back
FEWEST_USES = 5  # of one weight in a forward, each of what the one before made
USE_GROWTH = 1.1  # a use: sums over time grow by less, as 1 + 1/t
FORWARD_GROWTH = 1e4  # of values, from the first use to the last
BACK_GROWTH = 1e4  # of gradients, from the last use to the first; a tanh net that only reads has under 1
LARGE_INIT = 10.0  # times √(2 / fan in) (He et al. 2015), the largest that is usual
FEWEST_LAYERS = 4  # one after the other, that say what becomes of values on their way
GREW = 100.0  # of values in the first forward; at Kaiming's initialisation they stay as large as they are
FADED = 1e-5  # the same downwards: PyTorch's own initialisation leaves 1e-4 after ten relus
TIMES_USUAL = 2.5  # √(2 / fan in), of the weights that make values grow; its inverse where they fade
SMALLEST_FAN_IN = 8  # below, one draw says little about a standard deviation

# Activations. At their default initialisation about a tenth of a layer's relus may be 0 for a whole batch.
DEAD_SHARE = 0.8  # of a layer's units 0 for every sample of every batch
DEAD_BATCHES = 3
DEAD_SAMPLES = 48  # seen by each unit: a rare unit is not a dead one
ENDS = 0.01  # how near a sigmoid's or tanh's output is to its ends: the gradient is under a hundredth there
SATURATED_SHARE = 0.7  # of the outputs of a hidden layer

# Units. A matrix product rounds its rows differently, and Adam makes that larger in each step; rows that are
# drawn at random differ by about their size.
ALIKE = 1e-4  # of the largest weight, between the rows
ALIKE_GRADIENT = 1e-3  # of the largest gradient

# Steps. A step usually changes weights by about a thousandth of their size.
NO_UPDATE = 1e-6  # the largest |Δw|/|w| of any step: 10,000 steps would move a weight by one percent
PULLING = 1e-4  # |g|/|w| at least, so that it is the rate that is small and not the gradient
HUGE_UPDATE = 0.5  # |Δw|/|w| of the median step: weights are replaced, not adjusted
REPLACED = 2.0  # |Δw|/|w| of the largest step: nothing of the weight is left
FELT = 0.1  # |Δw|/|w| of the largest step, where the loss diverged: steps are at least felt
WORSE = 1.0  # final loss over first loss from which a huge update has done harm
GROWN = 10.0  # final loss over first loss: divergence whatever the updates are
CLIPPED_AWAY = 1e-3  # |g| at the step over |g| after the backward; norms of 1000 are clipped to 1 at times
CLIPPED_SHORT = 0.05  # the same, where what is left is shorter than …
SHORT_NORM = 1e-2  # … this: nets are clipped to 0.1 to 10
ENDED_RATE = 1e-3  # lr over the largest lr that was seen …
ENDED_SHARE = 0.4  # … for this share of the steps: a cosine spends under 5 % of its steps so low
PER_BATCH = 0.9  # calls of a schedule for each step, from which on it is stepped in every batch
EPOCH_BATCHES = 4  # at least; where an epoch is one batch, a step is an epoch
EPOCH_SHARE = 0.5  # of the rate that an epoch may leave: one that is meant in steps is made for many epochs …
FADED_RATE = 0.1  # … and lr over the largest lr that was seen, at the end: with less a net still learns
LATE_RATE = 0.25  # the mean of the same in the later half of the steps: others end low for a few alone
REPEATED = 0.5  # of a batch's samples that came by before, in an epoch's first batch all but the first time
DECAY_SHARE = 1.5  # |weight_decay · w| / |g|: the decay, not the loss, says where weights go …
DECAY_LOSS = 0.3  # … and share of |w| that has gone meanwhile: usual decays take 1 % in as many steps
UPHILL = 0.3  # cosine of Δw and +g from which a step climbs; -1 is plain descent
NEARLY = 0.9  # of 1/√(fan in): the largest of a few dozen uniform numbers is nearer to their bound
FEW_STEPS = 3  # steps, or backwards, below which nothing is said of a habit

# Graphs.
GROWING = 1.5  # nodes of a backward over those of the one three before, again and again

# Data. Networks are made for inputs of about zero mean and unit size (LeCun et al. 1998).
LARGE_INPUT = 12.0  # root mean square; pixels of 0 … 255 have 100 or more, standardised data 1
SMALL_INPUT = 2e-3  # root mean square; 1/255 of pixels in 0 … 1 has it, one-hot rows of 10,000 have 1e-2
LARGE_TARGET = 50.0  # root mean square of what the mean squared error compares with
AT_SCALE = 0.05  # first predictions' range over the targets'; of a net that does not scale it is far less
OFFSET = 20.0  # |mean| over the spread of an input feature: the offset drowns the differences
ROW_OFFSET = 5.0  # the same, where rows were normalised by themselves: that says why
UNEVEN = 1e3  # largest over smallest spread of the features of one input
SORTED_BATCHES = 4  # batches that must show the same
SORTED_SAMPLES = 4  # samples a batch must have
ABSENT_SAMPLES = 20  # per class: a class that is never seen among so many is not there
APART_BITS = 30.0  # of samples whose labels stand in their place of another array: by chance 1 in 2^30
ORDERED = 0.7  # share of the variance of targets that lies between batches, each of which is in order itself

# Running statistics, in nats between two normal distributions: 1 for a variance four times as large.
FITS_NOT = 10.0  # what arrives is far from what a batch norm expects …
FITS = 2.0  # … and near to what another one of the same shape expects
MEASURED = 8  # numbers in a channel at least

# Guesses. A net that learns anything of a few samples it meets again and again is soon below the entropy.
GUESS_STEPS = 30  # at least
GUESS_PASSES = 4.0  # over the same samples
GUESS_MOVED = 0.1  # Σ|Δw|/|w| over all steps: the weights had a chance
GUESS_LOSS = 0.95  # of the entropy of the targets, or their variance

# State dicts.
LEFT_OUT = 0.6  # of the parameters, without a name that fits: a new head, of a toy, is half of a net

# Losses.
PADDED = 0.6  # of the targets, from which on most of the loss is that of padding
NOT_LOG = 0.01  # how far Σ exp(x) of log-probabilities may be from 1
SUMMED_BATCH = 8  # samples from which a sum is another thing than a mean
SUM_UPDATE = 0.2  # |Δw|/|w| that shows that the rate was meant for a mean
DROPPED = 0.9  # p of a dropout that leaves one in ten
