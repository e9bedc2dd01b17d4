"""Who makes the steps that trainings ask for: one run on all devices, or several runs
with a device each."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from segjax import parallel
from segjax.base import GoneWrong, Stopped
from segjax.step import State
from segjax.train._loop import Ask, Training


def alone(training: Training) -> Any:
    """The training driven to its end, by all devices together; what it gives back."""
    with contextlib.closing(training):
        try:
            ask = next(training)
            state, source = ask.state, parallel.replicate(ask.source)
            while True:
                batch = parallel.share_local(ask.batch, ask.asked_to_stop)
                state, metrics = ask.step(state, source, batch)
                ask = training.send((_giving(state), metrics))
        except StopIteration as end:
            return end.value


class _Seat(NamedTuple):
    """A device's training, and the step that it asks for."""

    training: Training
    ask: Ask


class _Hall:
    """The trainings that wait for a device, and what those that ended gave back."""

    def __init__(self, trainings: Iterable[Training], held: contextlib.ExitStack):
        self._waiting, self._held = iter(trainings), held
        self._later: list[_Seat] = []  # of another program than those seated
        self._ended: list[Any] = []
        self.stopped: list[Stopped] = []

    def first(self) -> _Seat | None:
        """The next training, of whatever program."""
        return self._later.pop() if self._later else self.next_like(None)

    def next_like(self, other: _Seat | None) -> _Seat | None:
        """The next training that asks for a step of the same program and store; one
        that does not waits until all of these are done."""
        while not self.stopped and not self._later:
            training = next(self._waiting, None)
            if training is None:
                break
            self._held.enter_context(contextlib.closing(training))
            found = self.go_on(training)
            if found and other and not _alike(found.ask, other.ask):
                self._later.append(found)
            elif found:
                return found
        return None

    def go_on(self, training: Training, told=None) -> _Seat | None:
        """The training with the step that it asks for next, or none at its end."""
        try:
            return _Seat(training, training.send(told))
        except StopIteration as end:
            self._ended.append(end.value)
        except GoneWrong as wrong:
            self._ended.append(wrong)
        except Stopped as stop:
            self.stopped.append(stop)
        return None

    def leaving(self) -> Iterator[Any]:
        """What each gave back that ended since this was asked."""
        while self._ended:
            yield self._ended.pop(0)


def side_by_side(trainings: Iterable[Training]) -> Iterator[Any]:
    """The trainings driven together, one on each device with nothing exchanged; what
    each gives back as it ends, or the GoneWrong that ended it. A device that is done
    takes the next. Stopped when all have saved what they had.

    Their programs are made by parallel.train_apart; those of one program and one store
    run together.
    """
    with contextlib.ExitStack() as held:
        hall = _Hall(trainings, held)
        while not hall.stopped and (first := hall.first()):
            more = range(parallel.devices_here() - 1)
            seats: list[_Seat | None] = [first, *(hall.next_like(first) for _ in more)]
            yield from hall.leaving()
            source = parallel.replicate(first.ask.source)
            states = parallel.beside([(s or first).ask.state for s in seats])
            for seat in filter(None, seats):
                parallel.forget(seat.ask.state)  # or each device keeps those of all
            while live := next(filter(None, seats), None):
                batches = parallel.beside([(s or live).ask.batch for s in seats])
                states, metrics = first.ask.step(states, source, batches)
                for place, one in enumerate(seats):
                    if one is None:  # its device repeats another's step, for nothing
                        continue
                    told = (_giving_one(states, place), parallel.one_of(metrics, place))
                    seats[place] = hall.go_on(one.training, told)
                    if seats[place] is None and (new := hall.next_like(first)):
                        seats[place] = new
                        states = _put(states, place, new.ask.state)
                yield from hall.leaving()
        yield from hall.leaving()
        if hall.stopped:
            raise hall.stopped[0]


def _alike(one: Ask, other: Ask) -> bool:
    """Whether one program makes the steps of both, from the same pictures."""
    return one.step is other.step and one.source is other.source


def _put(states: State, place: int, state: State) -> State:
    """The states with another on one of the devices."""
    count = parallel.devices_here()
    each = [parallel.one_of(states, k) for k in range(count)]
    found = parallel.beside([*each[:place], state, *each[place + 1 :]])
    parallel.forget(state)
    return found


def _giving(state: State) -> Callable[[], State]:
    return lambda: state


def _giving_one(states: State, place: int) -> Callable[[], State]:
    return lambda: parallel.replicate(parallel.one_of(states, place))
