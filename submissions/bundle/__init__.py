"""A folder to upload as one dataset, from which an offline code competition is answered."""
