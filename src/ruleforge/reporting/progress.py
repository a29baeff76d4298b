"""progress: how far a long run is -> a bar on a terminal

A bar appears where something has taken a second, and goes away when it is done. On standard error,
and never in a pipe.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE = 1.0  # seconds


class Bar:
    """`with Bar(shown=…) as bar: read(…, progress=bar.of("Reading"))`."""

    def __init__(self, *, shown: bool, patience: float = _PATIENCE) -> None:
        self._lock = threading.Lock()
        self._at: tuple[str, int, int] = ("", 0, 0)
        self._bar: tuple[Progress, TaskID] | None = None
        self._timer = threading.Timer(patience, self._appear) if shown else None

    def of(self, verb: str) -> Callable[[str, int, int], None]:
        """What to call with the thing at hand, how much is done and how much there is to do."""

        def tell(thing: str, done: int, total: int) -> None:
            with self._lock:
                self._at = (
                    f"{verb} {thing.replace(chr(92), '/').rpartition('/')[2]}".strip(),
                    done,
                    total,
                )
                self._update()

        return tell

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is None:
            return
        self._timer.cancel()
        with self._lock:
            self._timer = None
            if self._bar is not None:
                self._bar[0].stop()

    def _appear(self) -> None:
        # WHY: rich takes as long to import as a small district takes to check.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._timer is None:  # it is over
                return
            words = TextColumn("{task.description}", markup=False)
            console = Console(stderr=True)
            progress = Progress(
                words, BarColumn(), TimeElapsedColumn(), console=console, transient=True
            )
            self._bar = (progress, progress.add_task("", total=None))
            self._update()
            progress.start()

    def _update(self) -> None:
        if self._bar is not None:
            description, done, total = self._at
            progress, task = self._bar
            progress.update(task, description=description, completed=done, total=total or None)
