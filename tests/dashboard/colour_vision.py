"""How far two colours are apart, for those who see all colours and for those who do not.

CIEDE2000 as Sharma, Wu and Dalal give it (2005, https://doi.org/10.1002/col.20070); dichromacy as the matrices of
Machado, Oliveira and Fernandes (2009, https://doi.org/10.1109/TVCG.2009.113) at severity 1, on linear RGB.
"""

from collections.abc import Sequence
from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

Lab = tuple[float, float, float]
VISIONS = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
# Linear sRGB to XYZ over the white of D65, https://www.w3.org/TR/css-color-4/#color-conversion-code
TO_XYZ = ((0.433891, 0.376235, 0.189874), (0.212639, 0.715169, 0.072192), (0.017725, 0.109475, 0.872800))


def seen(colour: str, vision: str) -> Lab:
    """Return a colour `#RRGGBB` as CIELAB of D65, as a vision has it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    x, y, z = map(_root, _times(TO_XYZ, [min(max(part, 0.0), 1.0) for part in _times(VISIONS[vision], linear)]))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [sum(one * other for one, other in zip(row, vector, strict=True)) for row in matrix]


def _root(share: float) -> float:
    return float(share ** (1 / 3)) if share > (6 / 29) ** 3 else share / (3 * (6 / 29) ** 2) + 4 / 29


def distance(one: Lab, other: Lab) -> float:
    """Return the difference ΔE00; 1 is what a trained eye just sees."""
    (light, a, b), (other_light, other_a, other_b) = one, other
    chroma = (hypot(a, b) + hypot(other_a, other_b)) / 2
    more = 1 + (1 - sqrt(chroma**7 / (chroma**7 + 25**7))) / 2
    chromas = hypot(a * more, b), hypot(other_a * more, other_b)
    hues = degrees(atan2(b, a * more)) % 360, degrees(atan2(other_b, other_a * more)) % 360
    turn = hues[1] - hues[0]
    turn -= 360 * (turn > 180) - 360 * (turn < -180)
    hue = (hues[0] + turn / 2) % 360
    if not all(chromas):
        turn, hue = 0.0, sum(hues)
    mean, across = sum(chromas) / 2, 2 * sqrt(chromas[0] * chromas[1]) * sin(radians(turn / 2))
    wave = 1 - 0.17 * cos(radians(hue - 30)) + 0.24 * cos(radians(2 * hue))
    wave += 0.32 * cos(radians(3 * hue + 6)) - 0.2 * cos(radians(4 * hue - 63))
    middle = ((light + other_light) / 2 - 50) ** 2
    by_light = (other_light - light) / (1 + 0.015 * middle / sqrt(20 + middle))
    by_chroma, by_hue = (chromas[1] - chromas[0]) / (1 + 0.045 * mean), across / (1 + 0.015 * mean * wave)
    twist = -2 * sqrt(mean**7 / (mean**7 + 25**7)) * sin(radians(60 * exp(-(((hue - 275) / 25) ** 2))))
    return sqrt(by_light**2 + by_chroma**2 + by_hue**2 + twist * by_chroma * by_hue)
