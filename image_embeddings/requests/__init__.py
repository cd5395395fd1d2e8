"""What the image stage can be asked: requests that are JSON on their way, so that another process can do them."""

from image_embeddings.requests.answering import answer
from image_embeddings.requests.models import ApplyRequest, Engine, PerturbRequest, Request, TrainRequest, read_request

__all__ = ["ApplyRequest", "Engine", "PerturbRequest", "Request", "TrainRequest", "answer", "read_request"]
