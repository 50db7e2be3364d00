"""A server of the Model Context Protocol (MCP), by which an assistant asks the mirror. It only reads.

It needs the extra ``mcp``.
"""

from __future__ import annotations

from mediasync.errors import ConfigurationError
from mediasync.settings.distribution import install_command

try:
    from mediasync.integrations.mcp.server import make_server
    from mediasync.integrations.mcp.stdio import serve_stdio
except ModuleNotFoundError as error:
    if (error.name or "").startswith("mediasync"):
        raise
    raise ConfigurationError(
        f"to answer assistants, the package mcp is needed: {install_command('mcp')}"
    ) from error

__all__ = ["make_server", "serve_stdio"]
