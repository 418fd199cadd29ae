# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bench/run is made of: figures (numbers), daemons (what is measured), one module for each kind of row, report."""
