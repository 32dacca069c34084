"""Who does not come: ranks that have waited for a while tell each other for what.

While all ranks keep pace nothing is sent. A rank that has waited for longer than PATIENCE sends all others
the words for what it waits for, and nothing more once its waiting is over; one that ends its program says so.
If all other ranks wait or have ended, and not all for the same, nobody will ever come.
"""

from __future__ import annotations

import time
from typing import Any

from ..errors import RankError, show_count

END = "the end of its program"
GOES_ON = ""


class RollCall:
    """What the others have said of themselves."""

    PATIENCE = 1.0  # seconds of waiting, after which a rank speaks
    CERTAINTY = 2.0  # seconds in which nothing changes, after which it is sure

    def __init__(self, control: Any) -> None:
        self.control = control
        self.rank: int = control.Get_rank()
        self.others = [rank for rank in range(control.Get_size()) if rank != self.rank]
        self.waits: dict[int, str] = {}  # by rank: for what
        self.sent: list[Any] = []

    def begin(self, what: str) -> Waiting:
        """This rank waits."""
        self.say(what)
        return Waiting(self, what)

    def say(self, what: str) -> None:
        """Tell all others."""
        self.sent = [request for request in self.sent if not request.Test()]
        self.sent += [self.control.isend(what, rank) for rank in self.others]

    def listen(self) -> None:
        """Take in what others have said; of each the last word counts."""
        while self.control.iprobe():
            for rank in self.others:
                while self.control.iprobe(rank):
                    self.waits[rank] = self.control.recv(source=rank)

    def deadlock(self, what: str) -> dict[int, str] | None:
        """What the others wait for, if they all do and some for something else than this rank."""
        waits = {rank: self.waits.get(rank, GOES_ON) for rank in self.others}
        if GOES_ON in waits.values() or all(other == what for other in waits.values()):
            return None
        return waits

    def leave(self) -> str | None:
        """Say goodbye, and wait for the others to do so too; what to say where they wait for this rank."""
        waiting = self.begin(END)
        while not all(self.waits.get(rank) == END for rank in self.others):
            try:
                waiting.look()
            except RankError as error:
                return str(error)
            time.sleep(0.001)
        for request in self.sent:
            request.Wait()
        return None


class Waiting:
    """One time that this rank waits for the others."""

    def __init__(self, roll_call: RollCall, what: str) -> None:
        self.roll_call, self.what = roll_call, what
        self.waits: dict[int, str] | None = None
        self.since = time.monotonic()

    def look(self) -> None:
        """Raise RankError once it is certain that nobody will come."""
        self.roll_call.listen()
        waits = self.roll_call.deadlock(self.what)
        if waits is None or waits != self.waits:
            self.waits, self.since = waits, time.monotonic()
        elif time.monotonic() - self.since > self.roll_call.CERTAINTY:
            others = {rank: what for rank, what in waits.items() if what != self.what}
            said = "; ".join(f"rank {rank} {show_wait(what)}" for rank, what in others.items())
            raise RankError(f"rank {self.roll_call.rank} {show_wait(self.what)}, and nobody comes: {said}")

    def missing(self) -> str:
        """Who has not come, in words."""
        waits = self.roll_call.waits
        names = [str(rank) for rank in self.roll_call.others if waits.get(rank) != self.what]
        return f"; {show_count(len(names), 'rank')} did not come: {', '.join(names)}"

    def end(self) -> None:
        """What was waited for has come."""
        self.roll_call.say(GOES_ON)


def show_wait(what: str) -> str:
    """For messages."""
    return "has come to the end of its program" if what == END else f"waits for {what}"
