"""`sqlfluff lint` as `make lint` runs it: in one process, without what makes it slow.

Python's garbage collector looked through all that was parsed again and again, for nothing, and further processes would
parse the project once more each. Without it that takes 1.3 GB. Five rules each laid out a file as the first one had:
linting changes nothing in it.
"""

import gc
from typing import Any

from sqlfluff.cli.commands import cli
from sqlfluff.utils.reflow.sequence import ReflowSequence


def lay_out_once() -> None:
    """Keep the layout of the last file."""
    from_root = ReflowSequence.from_root
    kept: list[Any] = []

    def laid_out(root: Any, config: Any) -> Any:
        if not (kept and kept[0] is root and kept[1] is config):
            kept[:] = root, config, from_root(root, config)
        return kept[2]

    setattr(ReflowSequence, "from_root", staticmethod(laid_out))  # noqa: B010 - for the type checker


if __name__ == "__main__":
    gc.disable()
    lay_out_once()
    cli()
