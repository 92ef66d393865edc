"""How many columns a character takes in a terminal, for the characters of which every terminal says the same.

If a terminal took another number of columns for a character than we think it does, the rest of the row would be
shifted and the wrong numbers would stand under their titles. A character is therefore drawn as itself only if its
width is certain, and a stand-in takes its place otherwise (see `glyphs`). A width is certain if

- the character was assigned in Unicode 9 (2016), the first version in which emoji are wide, so that all terminals in
  use know it;
- the tables of wcwidth for all versions from Unicode 9 to 18, and those of Rich, which Textual uses, give the same
  width of one or two columns;
- none of the 23 terminals that the project ucs-detect has measured, as wcwidth 0.9.4 lists them, differs;
- the character is a grapheme by itself beside any other: no mark, joiner, regional indicator, skin tone, conjoining
  Hangul letter, nor any other that grapheme-aware terminals draw into the column of its neighbour;
- it is written from left to right and is no control, format or private-use character and no space.

That leaves 122,618 characters beyond ASCII. Those of East Asian ambiguous width, among them Greek, Cyrillic
and the lines and blocks of our own panels, count as one column, as they do in all these terminals unless they are
told otherwise.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

_NARROW = """
20-7e a1-ac ae-2ff 370-377 37a-37f 384-38a 38c 38e-3a1 3a3-482 48a-52f 531-556 559-55f 561-587 589-58a 58d-58f
606-607 609-60a 60c 60e-60f 66a 6de 6e9 6f0-6f9 7f6-7f9 904-939 93d 950 958-961 964-980 985-98c 98f-990
993-9a8 9aa-9b0 9b2 9b6-9b9 9bd 9ce 9dc-9dd 9df-9e1 9e6-9fb a05-a0a a0f-a10 a13-a28 a2a-a30 a32-a33 a35-a36
a38-a39 a59-a5c a5e a66-a6f a72-a74 a85-a8d a8f-a91 a93-aa8 aaa-ab0 ab2-ab3 ab5-ab9 abd ad0 ae0-ae1 ae6-af1
af9 b05-b0c b0f-b10 b13-b28 b2a-b30 b32-b33 b35-b39 b3d b5c-b5d b5f-b61 b66-b77 b83 b85-b8a b8e-b90 b92-b95
b99-b9a b9c b9e-b9f ba3-ba4 ba8-baa bae-bb9 bd0 be6-bfa c05-c0c c0e-c10 c12-c28 c2a-c39 c3d c58-c5a c60-c61
c66-c6f c78-c80 c85-c8c c8e-c90 c92-ca8 caa-cb3 cb5-cb9 cbd cde ce0-ce1 ce6-cef cf1-cf2 d05-d0c d0e-d10
d12-d3a d3d d4f d54-d56 d58-d61 d66-d7f d85-d96 d9a-db1 db3-dbb dbd dc0-dc6 de6-def df4 e01-e30 e32 e3f-e46
e4f-e5b e81-e82 e84 e87-e88 e8a e8d e94-e97 e99-e9f ea1-ea3 ea5 ea7 eaa-eab ead-eb0 eb2 ebd ec0-ec4 ec6
ed0-ed9 edc-edf f00-f17 f1a-f34 f36 f38 f3a-f3d f40-f47 f49-f6c f85 f88-f8c fbe-fc5 fc7-fcc fce-fda
1000-102a 103f-1055 105a-105d 1061 1065-1066 106e-1070 1075-1081 108e 1090-1099 109e-10c5 10c7 10cd
10d0-10ff 1200-1248 124a-124d 1250-1256 1258 125a-125d 1260-1288 128a-128d 1290-12b0 12b2-12b5 12b8-12be
12c0 12c2-12c5 12c8-12d6 12d8-1310 1312-1315 1318-135a 1360-137c 1380-1399 13a0-13f5 13f8-13fd 1400-167f
1681-169c 16a0-16f8 1700-170c 170e-1711 1720-1731 1735-1736 1740-1751 1760-176c 176e-1770 1780-17a3
17a5-17b3 17d4-17d7 17d9-17dc 17e0-17e9 17f0-17f9 1800-180a 1810-1819 1820-1877 1880-1884 1887-18a8 18aa
18b0-18f5 1900-191e 1940 1944-196d 1970-1974 1980-19ab 19b0-19c9 19d0-19da 19de-1a16 1a1e-1a54 1a80-1a89
1a90-1a99 1aa0-1aad 1b05-1b33 1b45-1b4b 1b50-1b6a 1b74-1b7c 1b83-1ba0 1bae-1be5 1bfc-1c23 1c3b-1c49
1c4d-1c88 1cc0-1cc7 1cd3 1ce9-1cec 1cee-1cf1 1cf5-1cf6 1d00-1dbf 1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d
1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fc4 1fc6-1fd3 1fd6-1fdb 1fdd-1fef 1ff2-1ff4 1ff6-1ffe
2010-2027 2030-205e 2070-2071 2074-208e 2090-209c 20a0-20be 2100-218b 2190-2319 231c-2328 232b-23e8
23ed-23ef 23f1-23f2 23f4-23fe 2400-2426 2440-244a 2460-25fc 25ff-2613 2616-261c 261e-262f 2638-2647
2654-267e 2680-2689 2690-2692 2694-26a0 26a2-26a9 26ac-26bc 26bf-26c3 26c6-26cd 26cf-26d3 26d5-26e9
26eb-26f1 26f4 26f6-26f8 26fb-26fc 26fe-2704 2706-2709 270e-2727 2729-274b 274d 274f-2752 2756 2758-2794
2798-27af 27b1-27be 27c0-2b1a 2b1d-2b4f 2b51-2b54 2b56-2b73 2b76-2b95 2b98-2bb9 2bbd-2bc8 2bca-2bd1
2bec-2bef 2c00-2c2e 2c30-2c5e 2c60-2cee 2cf2-2cf3 2cf9-2d25 2d27 2d2d 2d30-2d67 2d6f-2d70 2d80-2d96
2da0-2da6 2da8-2dae 2db0-2db6 2db8-2dbe 2dc0-2dc6 2dc8-2dce 2dd0-2dd6 2dd8-2dde 2e00-2e44 303f a4d0-a62b
a640-a66e a673 a67e-a69d a6a0-a6ef a6f2-a6f7 a700-a7ae a7b0-a7b7 a7f7-a801 a803-a805 a807-a80a a80c-a822
a828-a82b a830-a839 a840-a877 a882-a8b3 a8ce-a8d9 a8f2-a8f9 a8fb-a8fd a900-a925 a92e-a946 a95f a984-a9b2
a9c1-a9cd a9cf-a9d9 a9de-a9e4 a9e6-a9fe aa00-aa28 aa40-aa42 aa44-aa4b aa50-aa59 aa5c-aa7a aa7e-aaaf aab1
aab5-aab6 aab9-aabd aac0 aac2 aadb-aaea aaf0-aaf4 ab01-ab06 ab09-ab0e ab11-ab16 ab20-ab26 ab28-ab2e
ab30-ab65 ab70-abe2 abeb abf0-abf9 fb00-fb06 fb13-fb17 fb29 fd3e-fd3f fdfd ff61-ff9d ffa1-ffbe ffc2-ffc7
ffca-ffcf ffd2-ffd7 ffda-ffdc ffe8-ffee fffc-fffd 10000-1000b 1000d-10026 10028-1003a 1003c-1003d
1003f-1004d 10050-1005d 10080-100fa 10100-10102 10107-10133 10137-1018e 10190-1019b 101a0 101d0-101fc
10280-1029c 102a0-102d0 102e1-102fb 10300-10323 10330-1034a 10350-10375 10380-1039d 1039f-103c3 103c8-103d5
10400-1049d 104a0-104a9 104b0-104d3 104d8-104fb 10500-10527 10530-10563 1056f 10600-10736 10740-10755
10760-10767 1091f 10b39-10b3f 11003-11037 11047-1104d 11052-1106f 11083-110af 110bb-110bc 110be-110c1
110d0-110e8 110f0-110f9 11103-11126 11136-11143 11150-11172 11174-11176 11183-111b2 111c1 111c4-111c8 111cd
111d0-111df 111e1-111f4 11200-11211 11213-1122b 11238-1123d 11280-11286 11288 1128a-1128d 1128f-1129d
1129f-112a9 112b0-112de 112f0-112f9 11305-1130c 1130f-11310 11313-11328 1132a-11330 11332-11333 11335-11339
1133d 11350 1135d-11361 11400-11434 11447-11459 1145b 1145d 11480-114af 114c4-114c7 114d0-114d9 11580-115ae
115c1-115db 11600-1162f 11641-11644 11650-11659 11660-1166c 11680-116aa 116c0-116c9 11700-11719 11730-1173f
118a0-118f2 118ff 11ac0-11af8 11c00-11c08 11c0a-11c2e 11c40-11c45 11c50-11c6c 11c70-11c8f 12000-12399
12400-1246e 12470-12474 12480-12543 13000-1342e 14400-14646 16800-16a38 16a40-16a5e 16a60-16a69 16a6e-16a6f
16ad0-16aed 16af5 16b00-16b2f 16b37-16b45 16b50-16b59 16b5b-16b61 16b63-16b77 16b7d-16b8f 16f00-16f44 16f50
16f93-16f9f 1bc00-1bc6a 1bc70-1bc7c 1bc80-1bc88 1bc90-1bc99 1bc9c 1bc9f 1d000-1d0f5 1d100-1d126 1d129-1d164
1d16a-1d16c 1d183-1d184 1d18c-1d1a9 1d1ae-1d1e8 1d200-1d241 1d245 1d400-1d454 1d456-1d49c 1d49e-1d49f 1d4a2
1d4a5-1d4a6 1d4a9-1d4ac 1d4ae-1d4b9 1d4bb 1d4bd-1d4c3 1d4c5-1d505 1d507-1d50a 1d50d-1d514 1d516-1d51c
1d51e-1d539 1d53b-1d53e 1d540-1d544 1d546 1d54a-1d550 1d552-1d6a5 1d6a8-1d7cb 1d7ce-1d9ff 1da37-1da3a
1da6d-1da74 1da76-1da83 1da85-1da8b 1eef0-1eef1 1f000-1f003 1f005-1f02b 1f030-1f093 1f0a0-1f0ae 1f0b1-1f0bf
1f0c1-1f0ce 1f0d1-1f0f5 1f100-1f10c 1f110-1f12e 1f130-1f16b 1f170-1f18d 1f18f-1f190 1f19b-1f1ac 1f321-1f32c
1f336 1f37d 1f394-1f39f 1f3cd-1f3ce 1f3d4-1f3df 1f3f1-1f3f3 1f3f5-1f3f7 1f43f 1f441 1f4fd-1f4fe 1f53e-1f54a
1f54f 1f568-1f573 1f576-1f579 1f57b-1f58f 1f591-1f594 1f597-1f5a3 1f5a5-1f5fa 1f650-1f67f 1f6c6-1f6cb
1f6cd-1f6cf 1f6e0-1f6ea 1f6f0-1f6f3 1f700-1f773 1f780-1f7d4 1f800-1f80b 1f810-1f847 1f850-1f859 1f860-1f887
1f890-1f8ad
"""
"""The characters that take one column, as ranges of code points in hexadecimal."""

_WIDE = """
231a-231b 2329-232a 23e9-23ec 23f0 23f3 25fd-25fe 2614-2615 2648-2653 267f 2693 26a1 26aa-26ab 26bd-26be
26c4-26c5 26ce 26d4 26ea 26f2-26f3 26f5 26fa 26fd 2705 270a-270b 2728 274c 274e 2753-2755 2757 2795-2797
27b0 27bf 2b1b-2b1c 2b50 2b55 2e80-2e99 2e9b-2ef3 2f00-2fd5 2ff0-2ffb 3001-3029 3031-303c 303e 3041-3096
309b-30ff 3105-312d 3131-3163 3165-318e 3190-31ba 31c0-31e3 31f0-321e 3220-3247 3250-3296 3298 329a-32fe
3300-4db5 4e00-9fd5 a000-a48c a490-a4c6 ac00-d7a3 f900-fa6d fa70-fad9 fe10-fe19 fe30-fe52 fe54-fe66
fe68-fe6b ff01-ff60 ffe0-ffe6 16fe0 17000-187ec 18800-18af2 1b000-1b001 1f004 1f0cf 1f18e 1f191-1f19a
1f200-1f201 1f210-1f236 1f238-1f23b 1f240-1f248 1f250-1f251 1f300-1f320 1f32d-1f335 1f337-1f37c 1f37e-1f393
1f3a0-1f3ca 1f3cf-1f3d3 1f3e0-1f3f0 1f3f4 1f3f8-1f3fa 1f400-1f43e 1f440 1f442-1f4fc 1f4ff-1f53d 1f54b-1f54e
1f550-1f567 1f57a 1f595-1f596 1f5a4 1f5fb-1f64f 1f680-1f6c5 1f6cc 1f6d0-1f6d2 1f6eb-1f6ec 1f6f4-1f6f6
1f910-1f91e 1f920-1f927 1f930 1f933-1f93a 1f93c-1f93e 1f940-1f945 1f947-1f94b 1f950-1f95e 1f980-1f991 1f9c0
20000-2a6d6 2a700-2b734 2b740-2b81d 2b820-2cea1 2f800-2fa1d
"""
"""The characters that take two columns."""

FIRST_WIDE = 0x1100
"""No character before this one is two columns wide."""


@cache
def certain_columns() -> NDArray[np.uint8]:
    """uint8 [code point]: 1 or 2 columns, 0 where the width is not certain or the character is not printable ASCII or
    beyond it. The last element stands for all code points from there on."""
    ranges = [
        (int(first, 16), int(last or first, 16), columns)
        for columns, table in ((1, _NARROW), (2, _WIDE))
        for first, _, last in (entry.partition("-") for entry in table.split())
    ]
    found = np.zeros(max(last for _, last, _ in ranges) + 2, dtype=np.uint8)
    for first, last, columns in ranges:
        found[first : last + 1] = columns
    return found


def is_wide(character: str) -> bool:
    """Whether a character takes two columns. One whose width is not certain is never drawn, and is not."""
    code = ord(character)
    if code < FIRST_WIDE:
        return False
    table = certain_columns()
    return bool(table[min(code, len(table) - 1)] == 2)
