"""Puts the grammar, the rulebooks and the pages of the messages into a wheel. An editable install
reads them where they are.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShipTexts(BuildHookInterface[Any]):
    """What has one copy in the repository goes beside the code in a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is `standard` or `editable`."""
        if version == "standard":
            build_data["force_include"]["grammars"] = "ruleforge/_grammars"
            build_data["force_include"]["rulebooks"] = "ruleforge/_rulebooks"
            docs = Path(self.root, "docs")
            for page in docs.glob("*/[A-Z][A-Z][0-9][0-9][0-9].md"):
                shipped = f"ruleforge/_docs/{page.relative_to(docs).as_posix()}"
                build_data["force_include"][str(page)] = shipped
