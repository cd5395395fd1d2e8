"""Files, fingerprints, results and executors: used by every other package. Knows nothing about lesions."""
