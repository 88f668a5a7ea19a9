"""What happens while the package is built or installed: message catalogues are compiled, a wheel takes migrations and words along."""

from __future__ import annotations

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueBuildHook(BuildHookInterface):
    """Turns every ``translations/<locale>/LC_MESSAGES/*.po`` into the ``.mo`` that is read at run time."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Runs before the files are collected."""
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        if version == "standard":  # an editable installation reads both where they stand
            included = build_data["force_include"]
            assert isinstance(included, dict)
            included |= {str(Path(self.root) / name): f"insureflow/{name}" for name in ("migrations", "translations")}
        artifacts = build_data["artifacts"]
        assert isinstance(artifacts, list)
        for source in sorted((Path(self.root) / "translations").glob("*/LC_MESSAGES/*.po")):
            with source.open("rb") as stream:
                catalogue = read_po(stream, locale=source.parent.parent.name, domain=source.stem)
            target = source.with_suffix(".mo")
            with target.open("wb") as stream:
                write_mo(stream, catalogue)
            artifacts.append(str(target.relative_to(self.root)))
