"""`python -m edgegan`."""

from edgegan.cli import main

if __name__ == "__main__":
    main()
