"""`python -m ops.sandbox [HOST] [PORT]`"""

import sys

from ops.sandbox import main

if __name__ == "__main__":
    host, port = [*sys.argv[1:], "127.0.0.1", "8900"][:2] if len(sys.argv) != 2 else (sys.argv[1], "8900")
    sys.exit(main(host, int(port)))
