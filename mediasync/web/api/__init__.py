"""The API for programs: ``/api/v1/…``, described by an OpenAPI document that is made from the same parts."""

from mediasync.web.api.routes import ENDPOINTS, routes

__all__ = ["ENDPOINTS", "routes"]
