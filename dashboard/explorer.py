"""What explorer tiles come to: the largest square and the clusters.

Worked out here from the tiles that a filter leaves, not in a mart: both depend on all tiles at once, so each choice of
sport and days has answers of its own, and a square grows out of its neighbours, which SQL could only say as a
recursion over rows. Definitions as VeloViewer's and geo-activity-playground's.
"""

from collections.abc import Collection
from dataclasses import dataclass

Tile = tuple[int, int]  # x, y


@dataclass(frozen=True, slots=True)
class Square:
    """The largest square of visited tiles: its north-western tile and its tiles a side; 0 while none is visited."""

    x: int
    y: int
    size: int


def largest_square(visited: Collection[Tile]) -> Square:
    """Return the largest square all of whose tiles are visited; of equals the western one, then the northern one."""
    sizes: dict[Tile, int] = {}
    best = Square(0, 0, 0)
    for x, y in sorted(visited):
        size = 1 + min(sizes.get(other, 0) for other in ((x - 1, y), (x, y - 1), (x - 1, y - 1)))
        sizes[x, y] = size
        best = max(best, Square(x - size + 1, y - size + 1, size), key=_rank)
    return best


def _rank(square: Square) -> tuple[int, int, int]:
    return square.size, -square.x, -square.y


def cluster_tiles(visited: Collection[Tile]) -> set[Tile]:
    """Return the visited tiles whose four neighbours are visited too."""
    tiles = set(visited)
    return {(x, y) for x, y in tiles if {(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)} <= tiles}


def largest_cluster(visited: Collection[Tile]) -> set[Tile]:
    """Return the largest set of cluster tiles that touch side by side; of equals the one with the western tile."""
    left, best = cluster_tiles(visited), set[Tile]()
    for start in sorted(left):
        if start not in left:
            continue
        left.remove(start)
        found, waiting = {start}, [start]
        while waiting:
            x, y = waiting.pop()
            near = {(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)} & left
            left -= near
            found |= near
            waiting += near
        best = max(best, found, key=len)
    return best


def region(visited: Collection[Tile], start: Tile, size: int) -> list[Tile]:
    """Return the tiles near a tile: those in its block of `size` by `size` tiles, in the blocks around that, and so on.

    A block without a tile ends it, so that another country is none of it.
    """
    blocks: dict[Tile, list[Tile]] = {}
    for x, y in visited:
        blocks.setdefault((x // size, y // size), []).append((x, y))
    waiting = [(start[0] // size, start[1] // size)]
    found: list[Tile] = []
    while waiting:
        x, y = waiting.pop()
        found += blocks.pop((x, y), [])
        around = {(x + right, y + down) for right in (-1, 0, 1) for down in (-1, 0, 1)}
        waiting += around & blocks.keys()
    return found
