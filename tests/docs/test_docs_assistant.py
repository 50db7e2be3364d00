"""The configurations of assistants in the docs start the server, whose tools the page lists."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from docs_pages import DOCS, ROOT, blocks, first_codes, section
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from mediasync import MediaSync

PAGE = DOCS / "how-to" / "ask-by-an-assistant.md"
CONFIGURATIONS = {block.title: block for block in blocks(PAGE) if block.language == "json"}


@pytest.mark.parametrize("name", CONFIGURATIONS)
async def test_the_configuration_starts_the_server(name: str, tmp_path: Path) -> None:
    database = str(tmp_path / "media.db")
    async with MediaSync(f"sqlite:///{database}") as ms:
        await ms.sync(f"nfo:{ROOT / 'examples' / 'library'}")
    document = json.loads(CONFIGURATIONS[name].text)
    [servers] = document.values()
    configured = servers["mediasync"]
    assert configured["command"].endswith("/bin/mediasync")
    arguments = [database if one == "/home/me/media.db" else one for one in configured["args"]]
    assert database in arguments
    server = StdioServerParameters(command=sys.executable, args=["-m", "mediasync", *arguments])
    with (tmp_path / "log").open("w") as log:
        async with stdio_client(server, errlog=log) as streams, ClientSession(*streams) as session:
            await session.initialize()
            tools = [tool.name for tool in (await session.list_tools()).tools]
            answer = await session.call_tool("search", {"text": "citizen kane"})
    assert tools == first_codes(section(PAGE, "What it can be asked"))
    assert answer.structuredContent is not None
    assert answer.structuredContent["titles"][0]["title"] == "Citizen Kane"
