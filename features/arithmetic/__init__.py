"""Numbers over segments of rows: sums, moments, order statistics, nearest neighbours. Knows nothing of lesions."""
