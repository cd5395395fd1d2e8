"""Files, fingerprints, results and executors: what everything else works with. Knows nothing of lesions."""
