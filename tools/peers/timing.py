"""What every peer's step is timed by."""

import json
import resource
import statistics
import time

WARM_UP, STEPS = 3, 10


def report(step):
    """Prints the median time of a step and the process's peak memory."""
    for _ in range(WARM_UP):
        step()
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"median_ms": statistics.median(times) * 1e3, "min_ms": min(times) * 1e3, "peak_mb": peak}))
