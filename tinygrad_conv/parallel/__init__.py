"""Training on several processes over MPI: each has the model, and its share of each batch.

    net = tg.parallel.DataParallel(net)
    sampler = tg.parallel.ShardedSampler(dataset, batch_size=64)
    loader = data.DataLoader(dataset, batch_sampler=sampler)

and the rest of the training as it was; `mpiexec -n 4 python train.py` runs it four times. The gradients are
those of one process with the joined batch. `pip install 'tinygrad_conv[mpi]'` brings mpi4py and an MPI.

model.py        `DataParallel`
sampler.py      `ShardedSampler`, the shares of each batch
batch_norm.py   `SyncBatchNorm`, over all shares; batch_norm_op.py    its op
together.py     `rank`, `world_size`, `is_main`, `print_main`, `on_main`, `barrier`, `average`
following.py    who looks on at backwards, and has gradients leave as soon as they are complete
averaging.py    the messages of a backward; buckets.py    gradients that travel together
shares.py       who has how many samples, and what they weigh
ranks.py        the ranks, and how one waits for the others; roll_call.py    who does not come
failure.py      a rank that fails ends the job; library.py    mpi4py
"""

from __future__ import annotations

from ..absent.missing import public_names
from ..errors import RankError
from .batch_norm import SyncBatchNorm
from .model import DataParallel
from .sampler import ShardedSampler
from .together import average, barrier, is_main, on_main, print_main, rank, world_size

__all__ = [
    "DataParallel",
    "RankError",
    "ShardedSampler",
    "SyncBatchNorm",
    "average",
    "barrier",
    "is_main",
    "on_main",
    "print_main",
    "rank",
    "world_size",
]

__getattr__, __dir__ = public_names(__name__)
