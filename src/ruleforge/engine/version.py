"""version: the version of this package, however it came here

Apart from the rest because looking it up takes a while, and only the manifest and `--version` need
it.
"""

from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[3]


def installed_version() -> str:
    """The version of the installed package (a wheel, or an editable install), else that of the
    checkout that runs, else `0+unknown`.
    """
    from importlib.metadata import PackageNotFoundError, version  # slow, and seldom needed

    try:
        return version("ruleforge")
    except PackageNotFoundError:
        return _of_checkout(_CHECKOUT / "pyproject.toml") or "0+unknown"


def _of_checkout(project: Path) -> str | None:
    import tomllib  # as above

    try:
        with project.open("rb") as file:
            about = tomllib.load(file)["project"]
    except (OSError, KeyError, ValueError):
        return None
    return str(about["version"]) if about.get("name") == "ruleforge" else None
