"""The largest square and cluster of explorer tiles, by the vector and against counting every square."""

from collections.abc import Set as AbstractSet

from hypothesis import given
from hypothesis import strategies as st

from dashboard.explorer import Tile, cluster_tiles, largest_cluster, largest_square, region

# V19: four by four without one corner, and one tile far away
VISITED = {(x, y) for x in range(4) for y in range(4)} - {(0, 3)} | {(9, 9)}
TILES = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=45)


def test_the_vector() -> None:
    """Sixteen tiles: the largest square is three by three, four tiles have all neighbours, and touch one another."""
    square = largest_square(VISITED)
    assert (len(VISITED), square.size, len(cluster_tiles(VISITED)), len(largest_cluster(VISITED))) == (16, 3, 4, 4)
    assert largest_cluster(VISITED) == {(1, 1), (1, 2), (2, 1), (2, 2)}


def test_nothing_is_nothing() -> None:
    """No tile makes no square and no cluster; one makes a square of one."""
    assert (largest_square([]).size, largest_cluster([])) == (0, set())
    assert (largest_square([(3, 4)]).size, largest_cluster([(3, 4)])) == (1, set())


@given(tiles=TILES)
def test_no_square_is_larger(tiles: AbstractSet[Tile]) -> None:
    """Of all squares of visited tiles, looked at one by one, none is larger; of equals the western, northern one."""
    full = [
        (size, -x, -y)
        for x in range(7)
        for y in range(7)
        for size in range(1, 8)
        if {(x + right, y + down) for right in range(size) for down in range(size)} <= tiles
    ]
    square = largest_square(tiles)
    assert (square.size, -square.x, -square.y) == max(full, default=(0, 0, 0))


def test_a_region_ends_where_a_block_is_empty() -> None:
    """Tiles of the same and of touching blocks, and of those beyond that touch them; not those of a far holiday."""
    home = {(0, 0), (9, 9), (10, 15), (21, 3), (-1, -1)}
    assert set(region(home | {(45, 3), (-25, 0)}, (0, 0), 10)) == home


@given(tiles=TILES)
def test_no_cluster_is_larger(tiles: AbstractSet[Tile]) -> None:
    """Growing each cluster tile's neighbourhood until nothing is added finds none that is larger."""
    inner = {(x, y) for x, y in tiles if {(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)} <= tiles}
    assert cluster_tiles(tiles) == inner
    sizes = [0]
    for start in inner:
        grown, before = {start}, set[Tile]()
        while grown != before:
            before = set(grown)
            grown |= {(x, y) for x, y in inner if any(abs(x - a) + abs(y - b) == 1 for a, b in before)}
        sizes.append(len(grown))
    found = largest_cluster(tiles)
    assert len(found) == max(sizes)
    assert found <= inner
