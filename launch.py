"""Train and score: python launch.py --config configs/unet.py [--help]"""

import sys

from segjax.__main__ import run_command

if __name__ == "__main__":
    run_command(["train", *sys.argv[1:]])
