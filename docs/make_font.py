# /// script
# requires-python = ">=3.11"
# dependencies = ["fonttools", "chardet==5.2.0"]  # of chardet: how frequent which characters are
# ///
"""Make the Chinese fonts of the pictures: parts of Noto Sans SC under a name of their own.

    npm pack @expo-google-fonts/noto-sans-sc
    tar xf expo-google-fonts-noto-sans-sc-*.tgz
    python docs/make_font.py package/400Regular/*.ttf package/700Bold/*.ttf

They have all characters that stand in the Chinese files of the repository, and the most frequent
ones besides, so that most further sentences and many names of users are drawn too.
"""

import sys
from pathlib import Path

from chardet.gb2312freq import GB2312_CHAR_TO_FREQ_ORDER
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

SOURCE = Path(__file__).parents[1] / "src/slalom"
FAMILY = "Slalom Sans SC"
# How many of the most frequent characters. Names of users stand at axes, not in bold headlines.
FREQUENT = {"Regular": 2500, "Bold": 1500}
KEPT_NAMES = [0, 1, 2, 3, 4, 6, 13, 14]  # copyright, names, licence
DROPPED = ["BASE", "GDEF", "GPOS", "GSUB", "STAT", "gasp", "vhea", "vmtx"]  # not read by matplotlib


def written() -> set[str]:
    """The characters of all Chinese files, without those that DejaVu Sans has."""
    texts = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.zh.*")]
    return {character for character in "".join(texts) if character >= "\u3000"}


def frequent(count: int) -> set[str]:
    """The most frequent of the 3755 characters of level 1 of GB 2312."""
    level_1 = [
        bytes([row, cell]).decode("gb2312")
        for row in range(0xB0, 0xD8)
        for cell in range(0xA1, 0xFA if row == 0xD7 else 0xFF)
    ]
    ranked = sorted(zip(GB2312_CHAR_TO_FREQ_ORDER, level_1, strict=False))
    return {character for _, character in ranked[:count]}


def make(path: str) -> Path:
    """Write the part of a font beside its licence."""
    font = TTFont(path, recalcTimestamp=False)  # so that the same gives the same file
    style = font["name"].getDebugName(2)
    options = Options(hinting=False, layout_features=[], name_IDs=KEPT_NAMES)
    options.drop_tables += DROPPED
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(written() | frequent(FREQUENT[style])))
    subsetter.subset(font)
    file = f"{FAMILY.replace(' ', '')}-{style}"
    for name, place in ((FAMILY, 1), (style, 2), (file, 3), (f"{FAMILY} {style}", 4), (file, 6)):
        font["name"].setName(name, place, 3, 1, 0x409)
    made = SOURCE / "plots/fonts" / f"{file}.ttf"
    font.save(made)
    return made


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        made = make(argument)
        print(f"{made}: {made.stat().st_size:,} bytes")
