"""Reads a service pack: one YAML file, checked by ``hub.contracts.catalog``."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from hub.contracts.catalog import ServicePack
from hub.yaml_documents import YamlRefused, read_yaml

PACK_FILE = "pack.yaml"


class PackError(Exception):
    """The file is no valid pack. The message names the file, each wrong place and what is wrong there."""


class _Readable(Protocol):
    def read_text(self, encoding: str) -> str: ...


def load_pack(package_or_path: str | Path) -> ServicePack:
    """The pack in ``pack.yaml`` of a package (give ``__package__``), or in the file at a ``Path``."""
    source: _Readable
    if isinstance(package_or_path, Path):
        source, name = package_or_path, str(package_or_path)
    else:
        source, name = resources.files(package_or_path) / PACK_FILE, f"{package_or_path}/{PACK_FILE}"
    try:
        return ServicePack.model_validate(read_yaml(source.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise PackError(f"{name}: {explain_problems(error)}") from error
    except (OSError, UnicodeDecodeError, YamlRefused) as error:
        raise PackError(f"{name}: {error}") from error


def explain_problems(error: ValidationError) -> str:
    """Each wrong place and what is wrong there, in one line."""
    places = (
        (".".join(str(part) for part in problem["loc"]) or "the pack", problem["msg"])
        for problem in error.errors(include_url=False, include_input=False)
    )
    return "; ".join(f"{place}: {message}" for place, message in places)
