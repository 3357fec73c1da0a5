"""Which settings say something about energies that are there already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterflow.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_APPLY = {
    "thermo": (
        *("temperature_k", "pressure_pa", "low_mode_cutoff_cm1", "correct", "anchors"),
        *("dft", "user"),
    ),
    "che": ("potential_v", "scale", "ph", "pcet"),
}


def take_own_settings(
    given: Mapping[str, Mapping[str, Any]], where: str, reader: str
) -> dict[str, dict[str, Any]]:
    """Sections ``thermo`` and ``che`` of what is given; what does not apply is refused.

    Nothing is corrected that nobody asked to correct.

    Parameters
    ----------
    given
        Settings by section.
    where, reader
        Where they come from and what reads the energies, for the message.

    Raises
    ------
    ConfigError
        If a setting does not apply.
    """
    for name, content in given.items():
        for key in content if name in _APPLY else ("",):
            if key not in _APPLY.get(name, ()):
                known = ", ".join(
                    f"{s}.{k}" for s, keys in _APPLY.items() for k in keys
                )
                raise ConfigError(
                    f"{where}: {f'{name}.{key}'.rstrip('.')} does not apply to "
                    f"{reader}; what does: {known}"
                )
    found = {name: dict(given.get(name, {})) for name in _APPLY}
    found["thermo"].setdefault("correct", ())
    return found
