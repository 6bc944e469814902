# SPDX-License-Identifier: Apache-2.0
"""Administrative division codes of Zhanjiang (GB/T 2260), and local codes for its two development zones."""

from __future__ import annotations

from typing import Final

# The last two entries are the development zones. No official codes are published for the development zones, so this
# project defined codes. In certificate numbers, the city's code stands for both zones.
REGIONS: Final = {
    "440800": "湛江市 Zhanjiang",
    "440802": "赤坎区 Chikan",
    "440803": "霞山区 Xiashan",
    "440804": "坡头区 Potou",
    "440811": "麻章区 Mazhang",
    "440823": "遂溪县 Suixi",
    "440825": "徐闻县 Xuwen",
    "440881": "廉江市 Lianjiang",
    "440882": "雷州市 Leizhou",
    "440883": "吴川市 Wuchuan",
    "440800-KF": "湛江经济技术开发区 Development zone",
    "440800-FY": "奋勇高新区 Fenyong high-tech zone",
}
