"""The web app: pages for people, a JSON API for programs, pictures and webhooks, by the extra ``web``."""

from mediasync.web.app import create_app, shut_down
from mediasync.web.guard import Access, Guard

__all__ = ["Access", "Guard", "create_app", "shut_down"]
