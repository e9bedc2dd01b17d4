"""Train and score: python launch.py --config configs/unet.py [--help]"""

import sys

from segjax.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
