"""product.py: what is known of a launch that is a product of matrices. SPDX-License-Identifier: MIT"""
import re


def defines(options):
    return {k: int(v) for k, v in re.findall(r"-D(\w+)=(\d+)", options)}


def groups_of(launch):
    return [-(-g // l) for g, l in launch.sizes]


def all_groups(launch):
    n = groups_of(launch)
    return n[0] * n[1] * n[2]


def depth_of(launch):
    """Of the sum that a group makes; None for other kernels."""
    a = launch.arguments
    if launch.kernel == "conv2d_igemm_dw":
        return a["length"]
    if launch.kernel == "conv2d_igemm":
        return a["R"] * a["S"] * a["Ci"] / a["step"] ** 2 / a["parts"]
    return None


def share_of(kernel, options):
    """The share of multiplications in the whole depth loop: its inner loop, if it has one, runs until the step's
    products are done. None for other kernels, and for what was not compiled."""
    d, loop = defines(options), kernel.get("loop")
    if not loop or not {"TM", "TN", "BK"} <= d.keys():
        return None
    (inner, products), (around, _) = loop
    wanted = d["TM"] * d["TN"] * d["BK"] / (2 if kernel.get("pairs") else 1)
    return wanted / (inner * max(wanted / products, 1) + around - inner)
