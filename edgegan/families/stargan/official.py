"""The authors' checkpoints: `N-G.ckpt` and `N-D.ckpt`, bare state dicts without any configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from torch import Tensor

from edgegan import config
from edgegan.families import Imported, ImportOptions
from edgegan.networks.state_dicts import read_state
from edgegan.runtime.errors import InputError

from .config import Config
from .sets import LabelSet

State = Mapping[str, Tensor]

FIVE = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")  # of the two models that the authors released
# fmt: off
CELEBA = frozenset(
    {
        "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips",
        "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby",
        "Double_Chin", "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male",
        "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose",
        "Receding_Hairline", "Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair",
        "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
    }
)
# fmt: on
LICENCE = "weights of the StarGAN authors' code (MIT), trained on CelebA: for non-commercial research only"
BATCH = 16  # pictures in each of the authors' iterations, which number their files
# Kept by norms that track statistics, which no one ever used: the authors test with those of each picture.
STALE = (".running_mean", ".running_var", ".num_batches_tracked")


def import_official(files: Mapping[str, Any], options: ImportOptions) -> Imported | None:
    """The generator, and with the discriminator's file the class head; None if no file is either.

    Widths, depths and the number of labels come from the shapes, the size from the discriminator's class head. The
    names of the labels are `options.attributes`, or those of the authors' models if there are five. All else is what
    the preset `celeba-128` says, the cut of the faces included.

    Raises InputError: no generator, two of them, files of two trainings, labels without names, an impossible size.
    """
    states = {name: read_state(loaded) for name, loaded in files.items()}
    generators = {name: state for name, state in states.items() if _is_generator(state)}
    critics = {name: state for name, state in states.items() if _is_discriminator(state)}
    if not generators and not critics:
        return None
    others = [name for name in files if name not in generators and name not in critics]
    if len(generators) != 1 or len(critics) > 1 or others:
        found = [*(f"{n} (a generator)" for n in generators), *(f"{n} (a discriminator)" for n in critics), *others]
        raise InputError(
            f"StarGAN: {', '.join(found)}", "one generator (N-G.ckpt), and with it at most its discriminator (N-D.ckpt)"
        )
    ((file, generator),) = generators.items()
    d_file, critic = next(iter(critics.items()), ("", None))
    width = generator["main.0.weight"].shape[1] - 3
    notes = [f"{file}: a generator of width {generator['main.0.weight'].shape[0]} with {_blocks(generator)} blocks"]
    cfg = config.load(Config, "stargan", "celeba-128")
    cfg = replace(
        cfg,
        conv_dim=int(generator["main.0.weight"].shape[0]),
        blocks=_blocks(generator),
        **_geometry(d_file, critic, options, notes),
    )
    labels = None if critic is None else int(critic["conv2.weight"].shape[0])
    cfg = _name_labels(cfg, width, labels, options, notes)
    networks = {"generator": _without_stale(file, generator, notes)}
    if critic is None:
        notes.append("no discriminator, so no classifier: a face's own labels will not be known (give N-D.ckpt too)")
    else:
        networks["discriminator"] = dict(critic)
    images = _images(file, notes)
    return Imported(cfg, networks, tuple(notes), images)


def _is_generator(state: State) -> bool:
    stem = state.get("main.0.weight")
    return stem is not None and stem.shape[1:] == (stem.shape[1], 7, 7) and "main.9.main.0.weight" in state


def _is_discriminator(state: State) -> bool:
    return {"main.0.weight", "main.0.bias", "conv1.weight", "conv2.weight"} <= state.keys()


def _blocks(state: State) -> int:
    return sum(re.fullmatch(r"main\.\d+\.main\.0\.weight", key) is not None for key in state)


def _geometry(file: str, critic: State | None, options: ImportOptions, notes: list[str]) -> dict[str, int]:
    """The size, and the discriminator's width and depth."""
    if critic is None:
        size = options.size or 128
        if size % 4:
            raise InputError(f"--size {size}", "a StarGAN takes multiples of 4")
        depth = min(6, (size & -size).bit_length() - 1)  # of a network that is not here: what this size allows
        notes.append(f"size {size}" + ("" if options.size else ": the file does not tell; --size says otherwise"))
        return {"size": size, "d_layers": depth}
    width, layers = (
        critic["main.0.weight"].shape[0],
        sum(k.startswith("main.") and k.endswith("weight") for k in critic),
    )
    size = int(critic["conv2.weight"].shape[-1]) * 2**layers
    if options.size not in (None, size):
        raise InputError(f"--size {options.size}: {file} was trained at {size}", todo="leave --size out")
    notes.append(
        f"{file}: a discriminator of width {width} with {layers} layers for size {size}; it gives the classifier"
    )
    return {"size": size, "d_conv_dim": int(width), "d_layers": layers}


def _name_labels(cfg: Config, width: int, classes: int | None, options: ImportOptions, notes: list[str]) -> Config:
    """The config with the labels' names. `width` labels go into the generator, `classes` come from the class head."""
    names = options.attributes
    if classes not in (None, width, width - 2):
        raise InputError(f"the generator takes {width} labels and the discriminator gives {classes}: of two trainings")
    joint = classes == width - 2 or (classes is None and len(names) == width - 2)
    count = width - 2 if joint else width
    what = f"{count} labels" + (" and a mask of 2: it was trained on two label sets" if joint else "")
    if not names and count == len(FIVE) and not joint:
        names = FIVE
        notes.append(f"5 labels: taken to be the authors' ({', '.join(FIVE)}); --attributes says otherwise")
    elif len(names) != count:
        given = f"--attributes names {len(names)}" if names else "their names are not in the file"
        raise InputError(
            f"the model takes {what}; {given}",
            todo=f"name all {count} in the order of training: --attributes A,B,..."
            + (" (CelebA's first, then the other set's)" if joint else ""),
        )
    else:
        notes.append(f"{what}: {', '.join(names)}")
    if joint:
        cfg = _joint(cfg, names)
    elif CELEBA.isdisjoint(names):
        cfg = replace(cfg, attributes=names, kind="one_hot", domain="photographed faces", licence="")
        notes.append("none of the names is CelebA's: taken for folders of pictures, so exactly one is on")
    else:
        cfg = replace(cfg, attributes=names, licence=LICENCE)
    notes.append("faces are cut as CelebA's centre crop of 178 pixels; the files do not tell")
    return replace(cfg, domain=options.domain) if options.domain else cfg


def _joint(cfg: Config, names: tuple[str, ...]) -> Config:
    """CelebA's attributes, then the classes of another set, as the authors train with RaFD."""
    first = tuple(name for name in names if name in CELEBA)
    second = names[len(first) :]
    if names[: len(first)] != first or not first or len(second) < 2:
        raise InputError(
            f"--attributes names {len(names)}, two fewer than the generator takes, so it knows two label sets",
            "first attributes of CelebA, by CelebA's names, then at least two classes of the other set",
        )
    sets = (
        LabelSet(name="celeba", attributes=first, centre_crop=cfg.centre_crop),
        LabelSet(name="classes", attributes=second, kind="one_hot"),
    )
    return replace(cfg, attributes=names, centre_crop=None, sets=sets, licence=LICENCE)


def _without_stale(file: str, state: State, notes: list[str]) -> State:
    kept = {key: t for key, t in state.items() if not key.endswith(STALE)}
    if len(kept) < len(state):
        notes.append(f"{file}: {len(state) - len(kept)} running statistics dropped; the norms use each picture's own")
    return kept


def _images(file: str, notes: list[str]) -> int:
    found = re.match(r"(\d+)-G\.", file)
    if found is None:
        return 0
    notes.append(f"{found[1]} iterations by its name, of {BATCH} pictures each as the authors train")
    return int(found[1]) * BATCH
