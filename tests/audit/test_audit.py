"""test_audit.py: the audit's own judgement, and a dry run of one network. SPDX-License-Identifier: MIT
usage: test_audit.py SKIPPER LAYER"""
import collections, os, re, sys, tempfile, unittest
import audit, compilers, dry, product

SASS = """
.L_x_1:
        /*0010*/                   FFMA R1, R2, R3, R1 ;
        /*0020*/                   LDS.128 R4, [R5] ;
.L_x_2:
        /*0030*/                   FFMA R1, R2, R3, R1 ;
        /*0040*/                   FFMA R1, R2, R3, R1 ;
        /*0050*/                   IADD3 R1, R2, R3, R1 ;
        /*0060*/              @!P0 BRA `(.L_x_2) ;
        /*0070*/               @P0 BRA `(.L_x_1) ;
        /*0080*/                   FFMA R1, R2, R3, R1 ;
"""


def sass():
    return compilers.parse(SASS, re.compile(r"(\.L_\w+):"),
                           re.compile(r"\s+(?:/\*\w+\*/\s+)?(?:@!?U?P\w+\s+)?([A-Z][\w.]+)"),
                           re.compile(r"BRA.*\((\.L_\w+)\)"))


class Judging(unittest.TestCase):
    def test_loops(self):
        self.assertEqual(compilers.loop_of(sass(), re.compile("FFMA"), re.compile("(?!NOP)")), [[7, 3], [7, 3]])

    def test_inner_loop_counts_as_often_as_it_runs(self):
        kernel = {"loop": [[70, 64], [100, 64]]}
        share = product.share_of(kernel, "-DTM=8 -DTN=8 -DBK=4")
        self.assertAlmostEqual(share, 256 / (4 * 70 + 30))

    def test_gain(self):
        self.assertEqual(audit.gain(10, 10, 8), 1)  # one full wave
        self.assertEqual(audit.gain(5, 10, 8), 0.5)
        self.assertEqual(audit.gain(5, 10, 1), 1)  # nothing to split
        self.assertGreater(audit.gain(95, 96, 64), audit.WORTH)

    def test_parameters(self):
        text = """#define SIZES  \\
  int N, /* images */ int H
#define AXIS(a) int a##_n, int a##_step
kernel void f(global float *restrict y, int n, SIZES, AXIS(h), int m) {
}
static int g(int a) { }"""
        names = ["y", "n", "N", "H", "h_n", "h_step", "m"]
        self.assertEqual(dry.parameters(text), {"f": names})

    def test_faults_are_found(self):
        profile = dry.PROFILES[0]
        kernel = {"spill": 16, "local": 40000, "registers": 1, "loop": [[700, 512], [700, 512]]}
        options = "-DBM=128 -DBN=128 -DTM=8 -DTN=8 -DBK=8 -DVIN=4"
        self.assertEqual(len(list(audit.judge_kernel(profile, "f", kernel, options))), 3)
        self.assertEqual(len(list(audit.judge_kernel(profile, "f", {"error": "no"}, options))), 1)
        few = dry.Launch("conv2d_igemm_dw", "p", [[128, 128], [70000, 1], [1, 1]], 0, {"length": 4096})
        self.assertEqual(len(list(audit.judge_launch(profile, few, {"p": ["", options]}))), 1)
        few = few._replace(sizes=[[128, 128], [1, 1], [1, 1]])
        self.assertEqual(len(list(audit.judge_launch(profile, few, {"p": ["", options]}))), 1)


class Running(unittest.TestCase):
    def test_dry_run(self):
        profile = dry.PROFILES[1]
        with tempfile.TemporaryDirectory() as folder:
            run = dry.dry_run(*sys.argv[1:3], profile, ["resnet20", "--batch=32"], os.path.join(folder, "log"))
        self.assertEqual(run["parts"], 1)
        kernels = collections.Counter(launch.kernel for launch in run["launches"])
        self.assertGreaterEqual(kernels["conv2d_igemm"], 40)
        self.assertEqual(kernels["sgd"], 1)
        self.assertEqual(kernels["batchnorm_tiles"], 0)  # the convolutions have summed
        row, wrong = audit.judge(profile, "CIFAR ResNet-20", 32, run, {})
        self.assertEqual(wrong, [])
        for launch in run["launches"]:
            self.assertEqual(launch.kernel.startswith("conv2d_igemm"), bool(product.depth_of(launch)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
