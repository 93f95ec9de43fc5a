"""Imported first by every program: while modules are loaded nothing becomes garbage, and looking for it is a quarter of the time.

`process.prepare` turns collection on again.
"""

import gc

gc.disable()
