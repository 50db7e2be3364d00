"""The web app: pages for people, a JSON API for programs, pictures and webhooks, by the extra ``web``."""

from mediasync.web.app import create_app, shut_down
from mediasync.web.guard import Access, Guard
from mediasync.web.pictures.desk import PictureOptions

__all__ = ["Access", "Guard", "PictureOptions", "create_app", "shut_down"]
