"""A folder to upload as one dataset, which answers an offline code competition."""
