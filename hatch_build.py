"""Puts the grammar and the rulebooks into a wheel. An editable install reads them where they are."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShipTexts(BuildHookInterface[Any]):
    """The grammar and the rulebooks have one copy in the repository, and go beside the code in a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is `standard` or `editable`."""
        if version == "standard":
            build_data["force_include"]["grammars"] = "ruleforge/_grammars"
            build_data["force_include"]["rulebooks"] = "ruleforge/_rulebooks"
