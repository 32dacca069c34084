#!/usr/bin/env bash
# Makes the README's pictures of the pages. Needs Debian's chromium, and matplotlib's Pillow to make them small:
#
#   examples/pictures/make.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

picture() { # NAME: of PAGE.html, at this step and position of its window
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" --window-size=1120,900 \
        --screenshot="$work/$1.png" "file://$work/$2.html#$3"
    python3 -c "
import sys
from PIL import Image
picture = Image.open(sys.argv[1]).convert('RGB').quantize(96, dither=Image.Dither.NONE)
picture.save(sys.argv[2], optimize=True)" "$work/$1.png" "$here/$1.png"
}

python3 examples/article.py --html "$work/article.html"
picture article article 'step=1&view=W&at=1'
picture stamps article 'step=4&view=stamps&at=1'
python3 examples/train_shapes.py --html "$work/shapes.html"
picture shapes shapes 'step=4&view=W&at=4'
picture overview shapes overview
